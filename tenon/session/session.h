// Session: owns a backend, the data of the Variables, and the compiled steps that update them.
#pragma once
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/backends/backend.h"
#include "tenon/passes/precision_policy.h"
#include "tenon/passes/recompute_policy.h"
#include "tenon/tensor/tensor.h"

namespace tenon {

struct Program;  // session/program.h

struct SessionOptions {
  int threads = 0;             // 0: the cores this process may use
  std::uint64_t seed = 0;      // of the variables' initial values
  std::string cache_folder{};  // compiled kernels; empty: the default
  std::function<void(std::string_view)> log{};
  bool keep_texts = false;  // keep the text of every compile stage (CompiledStep::text)
  bool profile = false;     // take the time of every launch of a kernel (CompiledStep::launches)
  // Receives "label = value" of each tenon::print; without one it goes to standard output.
  std::function<void(std::string_view)> print{};
  // Optimisations of the backend to leave out, in search of a fault (tenon inspect --skip).
  std::vector<std::string> skip{};
};

// What a step computes: values to return and variables to update.
struct StepResult {
  std::vector<Tensor> fetches;
  std::vector<Update> updates;
};
// How a step is compiled.
using passes::PrecisionPolicy;
using passes::RecomputePolicy;
struct StepOptions {
  PrecisionPolicy precision = PrecisionPolicy::f32;  // of a step in f32; f64 takes no other
  // Of the values that gradients need, what is computed again to save memory (docs/memory.md).
  RecomputePolicy recompute = RecomputePolicy::none;
  // For RecomputePolicy::automatic: what MemoryReport::total() is to stay below, in bytes. A step
  // for which nothing is enough takes the least it can.
  std::int64_t memory_limit = 0;
};
// A value for a placeholder.
using Feed = std::pair<Tensor, HostTensor>;

// A graph compiled for a session's backend and bound to its variables. Runs of a session's steps
// must not overlap: they share memory. The session must outlive the step.
class CompiledStep {
 public:
  ~CompiledStep();
  CompiledStep(CompiledStep&&) noexcept;
  CompiledStep& operator=(CompiledStep&&) noexcept;

  // Host tensors in the order of the placeholders; returns the fetches. UserError naming the
  // placeholder whose type does not fit.
  std::vector<HostTensor> run(std::span<const HostView> inputs);
  // Device buffers in the same order; `results` are reused from call to call, so that a steady
  // state allocates nothing (unless the step prints). Nothing is validated.
  void run(std::span<backends::Buffer* const> inputs, std::span<backends::Buffer> results);

  // `count` runs in one call of the compiled code. Input `moving` holds a value for each run along
  // a new leading axis; the others are the same in all. The results are those of the last run.
  // UserError if the step prints, or if a buffer does not fit.
  void run_many(std::span<backends::Buffer* const> inputs, std::size_t moving, std::int64_t count,
                std::span<backends::Buffer> results);

  std::size_t input_count() const;
  std::size_t fetch_count() const;
  const TensorType& input_type(std::size_t index) const;
  const TensorType& fetch_type(std::size_t index) const;
  const backends::MemoryReport& memory() const;
  const backends::CompileReport& report() const;
  std::string text(std::string_view stage) const;  // "graph", "plan", "source"
  // Of a session that profiles: what the step launches, in order, and how long each took in the
  // runs so far; and each call of the last run. Empty otherwise, and on devices without kernels.
  std::span<const backends::LaunchInfo> launches() const;
  std::span<const backends::LaunchTime> launch_times() const;
  std::span<const backends::LaunchEvent> last_launches() const;

 private:
  friend class Session;
  struct State;
  explicit CompiledStep(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What a function of any number of arguments is traced with.
class Arguments {
 public:
  explicit Arguments(std::span<const Tensor> tensors) : tensors_(tensors) {}
  // UserError naming both numbers if there is no argument of this index.
  const Tensor& operator[](std::size_t index) const;
  std::size_t size() const { return tensors_.size(); }
  auto begin() const { return tensors_.begin(); }
  auto end() const { return tensors_.end(); }

 private:
  std::span<const Tensor> tensors_;
};

// A C++ function of tensors that is traced and compiled once per combination of argument types.
class Function {
 public:
  // UserError naming both numbers if the function takes another number of arguments.
  std::vector<HostTensor> operator()(std::span<const HostTensor> arguments);
  std::vector<HostTensor> operator()(std::initializer_list<HostTensor> arguments) {
    return (*this)(std::span<const HostTensor>(arguments.begin(), arguments.size()));
  }
  // The compiled step for these argument types, traced now (and not run) if it is new.
  CompiledStep& compiled(std::span<const TensorType> types);

 private:
  friend class Session;
  using Body = std::function<StepResult(const Arguments&)>;
  template <class... Parameters>
  Function(class Session& session, std::function<StepResult(Parameters...)> body,
           const StepOptions& options)
      : Function(session, spread(std::move(body), std::index_sequence_for<Parameters...>{}),
                 sizeof...(Parameters), options) {}
  Function(class Session& session, std::function<StepResult(const Arguments&)> body,
           const StepOptions& options)
      : Function(session, std::move(body), std::nullopt, options) {}
  Function(class Session& session, std::function<StepResult(Arguments)> body,
           const StepOptions& options)
      : Function(session, Body(std::move(body)), std::nullopt, options) {}
  Function(class Session& session, Body body, std::optional<std::size_t> argument_count,
           const StepOptions& options);

  template <class... Parameters, std::size_t... kIndex>
  static Body spread(std::function<StepResult(Parameters...)> body,
                     std::index_sequence<kIndex...>) {
    static_assert((std::same_as<std::remove_cvref_t<Parameters>, Tensor> && ...),
                  "a session's function takes Tensors, [](Tensor x, Tensor y) -> StepResult, or "
                  "any number of them, [](const Arguments& in) -> StepResult");
    return [body = std::move(body)](const Arguments& in) { return body(in[kIndex]...); };
  }

  class Session* session_;
  Body body_;
  std::optional<std::size_t> argument_count_;  // none: any number
  StepOptions options_;
  std::vector<std::pair<std::vector<TensorType>, std::unique_ptr<CompiledStep>>> compiled_;
};

// Used from one thread at a time; independent sessions run in parallel threads.
class Session {
 public:
  // UserError for an unknown device, with the known ones.
  explicit Session(std::string_view device = "cpu", SessionOptions options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Computes the fetches with the placeholders fed, then applies the updates. Equal graphs are
  // compiled once.
  HostTensor run(const Tensor& fetch, std::span<const Feed> feeds = {});
  HostTensor run(const Tensor& fetch, std::initializer_list<Feed> feeds) {
    return run(fetch, std::span<const Feed>(feeds.begin(), feeds.size()));
  }
  std::vector<HostTensor> run(std::span<const Tensor> fetches, std::span<const Feed> feeds = {},
                              std::span<const Update> updates = {});
  std::vector<HostTensor> run(std::initializer_list<Tensor> fetches,
                              std::initializer_list<Feed> feeds = {},
                              std::span<const Update> updates = {}) {
    return run(std::span<const Tensor>(fetches.begin(), fetches.size()),
               std::span<const Feed>(feeds.begin(), feeds.size()), updates);
  }

  // Compiles what the result needs; its inputs are the placeholders, in this order.
  CompiledStep compile(std::span<const Tensor> placeholders, const StepResult& result,
                       const StepOptions& options = {});
  // The same in two parts: a program needs none of the tensors it was made of, whose trace may be
  // larger than a small step. It goes before the program is compiled if nobody holds them.
  Program program(std::span<const Tensor> placeholders, const StepResult& result,
                  const StepOptions& options = {});
  CompiledStep compile(Program program);
  // The graph that is compiled then, after the passes that make it narrow or compute again.
  ir::Graph graph(std::span<const Tensor> placeholders, const StepResult& result,
                  const StepOptions& options = {});
  // The memory that such a step needs, told without making code or allocating anything.
  backends::StepMemory plan(std::span<const Tensor> placeholders, const StepResult& result,
                            const StepOptions& options = {});
  // A step traced from a C++ function when it is first called with arguments of given types:
  // [](Tensor x, Tensor y) -> StepResult {...}, or [](const Arguments& in) -> StepResult {...}.
  template <class F>
  Function function(F body, StepOptions options = {}) {
    return Function(*this, std::function(std::move(body)), options);
  }

  // The value of a variable now; its initial value if no step has touched it.
  HostTensor read(const Variable& variable);
  // The same into memory that is there, of the variable's type; allocates nothing.
  void read(const Variable& variable, const HostSpan& to);
  // UserError if the type differs. A variable that is written before it is used is never
  // initialized.
  void write(const Variable& variable, const HostView& value);
  void write(const Variable& variable, HostTensor&& value);
  bool has(const Variable& variable) const;

  backends::Backend& backend() { return *backend_; }
  std::string_view device() const { return backend_->name(); }
  std::uint64_t seed() const { return options_.seed; }
  backends::Buffer upload(const HostView& value);
  HostTensor download(const backends::Buffer& buffer);

 private:
  friend class CompiledStep;
  backends::Buffer& buffer_of(const Variable& variable);
  backends::Buffer& hold(const Variable& variable, HostTensor value);
  void print(std::string_view label, const HostTensor& value) const;
  struct Cache;
  SessionOptions options_;
  std::unique_ptr<backends::Backend> backend_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace tenon

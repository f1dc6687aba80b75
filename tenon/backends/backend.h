// What every place that can run graphs offers: allocate, move data, compile.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tenon/backends/memory_map.h"
#include "tenon/base/host_tensor.h"
#include "tenon/ir/sharding.h"

namespace tenon::ir {
class Graph;
}

namespace tenon::backends {

struct BufferType {
  TensorType type;
  ir::Sharding sharding;
  bool operator==(const BufferType&) const = default;
};

// Memory of one backend; backends derive from it.
class BufferStorage {
 public:
  virtual ~BufferStorage() = default;
};

// Movable handle to one logical array on a backend.
class Buffer {
 public:
  Buffer() = default;
  Buffer(BufferType type, std::unique_ptr<BufferStorage> storage)
      : type_(std::move(type)), storage_(std::move(storage)) {}
  const TensorType& type() const { return type_.type; }
  const BufferType& buffer_type() const { return type_; }
  BufferStorage* storage() const { return storage_.get(); }
  explicit operator bool() const { return storage_ != nullptr; }

 private:
  BufferType type_;
  std::unique_ptr<BufferStorage> storage_;
};

// Completion of asynchronous work. An event without a waiter has already happened.
class Event {
 public:
  Event() = default;
  explicit Event(std::function<void()> waiter) : waiter_(std::move(waiter)) {}
  // Blocks until the work is done; raises what it raised.
  void wait() {
    if (auto waiter = std::exchange(waiter_, nullptr)) waiter();
  }

 private:
  std::function<void()> waiter_;
};

// Exact bytes of a compiled step, known before it first runs.
struct MemoryReport {
  std::int64_t state = 0;    // weights, moments, counters
  std::int64_t inputs = 0;   // one set of inputs
  std::int64_t results = 0;  // one set of results
  std::int64_t constants = 0;
  std::int64_t arena = 0;  // activations, gradients, workspace
  std::int64_t total() const { return state + inputs + results + constants + arena; }
};

// What a compiled step will need.
struct StepMemory {
  MemoryReport report;
  MemoryMap map;  // of the arena; empty on a device that does not plan one
};

struct CompileReport {
  double seconds = 0;           // wall time of compile()
  double compiler_seconds = 0;  // of which in the system's compiler; 0 when cached
  // The most memory that making the step took, from its trace to its code, above what was in use
  // before; free again when the step runs. 0 if the process had as much before, or is not told.
  std::int64_t memory_bytes = 0;
  std::int64_t code_bytes = 0;  // of the machine's instructions, as far as there are any
  std::int64_t kernels = 0;
  bool was_cached = false;
};

// One launch of a kernel, or copy, in a compiled step.
struct LaunchInfo {
  std::string kernel;         // its name in the text of the stage "source"; "copy" of a copy
  std::string reads, writes;  // names of what it takes and gives
  double flops = 0;           // of one call
  double bytes = 0;           // of all that it takes and gives
  bool is_parallel = false;
  // The parts of the model that it computes, contractions first: a layer's path and the line it was
  // written at, if that is known. Gradients and updates of weights are of the layer they are for.
  struct Part {
    std::string path;      // "encoder/dense_1"
    std::string location;  // "train_mnist.cpp:42", or empty
    bool operator==(const Part&) const = default;
  };
  std::vector<Part> parts{};
};
struct LaunchTime {
  std::int64_t calls = 0;
  double seconds = 0;  // of all calls
};
// One call in the last run; seconds since the run began.
struct LaunchEvent {
  std::uint32_t launch = 0;
  double begin = 0, end = 0;
};

struct CompileOptions {
  int threads = 0;  // 0: as many as the backend has
  // Called with one line of text for what a user may want to know (a slow fallback, a kept file).
  std::function<void(std::string_view)> log;
  // Stages to keep as text for inspection: "graph", "plan", "source".
  bool keep_texts = false;
  // Take the time of every launch; the step is a little slower for it.
  bool profile = false;
  // ir::digest of the graph, if the caller has it already.
  std::string digest;
  // Optimisations to leave out, in search of a fault; UserError listing the names if the device has
  // none of that name. The step computes the same.
  std::vector<std::string> skip;
};

class Step {
 public:
  virtual ~Step() = default;
  // Inputs are those of the signature with Role::data, in order; results those outputs that update
  // nothing. A result Buffer that is empty or of another type is allocated; others are reused.
  virtual Event run(std::span<Buffer* const> inputs, std::span<Buffer> results) = 0;
  // `count` runs in one call. Input `moving` holds a value for each run along a new leading axis;
  // the other inputs are the same in all. Results are those of the last run.
  virtual Event run_many(std::span<Buffer* const> inputs, std::size_t moving, std::int64_t count,
                         std::span<Buffer> results) = 0;
  // One for each of Executable::launches, since bind; empty unless compiled with
  // `profile`.
  virtual std::span<const LaunchTime> launch_times() const { return {}; }
  virtual std::span<const LaunchEvent> last_launches() const { return {}; }
};

class Executable {
 public:
  virtual ~Executable() = default;
  // State in signature order: every input whose role is not data. Types are checked once, here
  // (UserError). The Buffers must outlive the Step and are updated in place.
  virtual std::unique_ptr<Step> bind(std::span<Buffer* const> state) = 0;
  virtual const MemoryReport& memory() const = 0;
  virtual const CompileReport& report() const = 0;
  // The text of a stage ("graph", "plan", "source"), empty if the backend has none.
  virtual std::string text(std::string_view stage) const = 0;
  // In the order of the text; empty unless compiled with `profile`.
  virtual std::span<const LaunchInfo> launches() const { return {}; }
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual Buffer allocate(const BufferType& type) = 0;  // zero-filled
  // A buffer that holds the value; its memory may become the buffer's.
  virtual Buffer adopt(HostTensor value) = 0;
  virtual Event write(Buffer& buffer, const HostView& from) = 0;
  // As write, for inputs of a step. A device that reads host memory copies nothing: the buffer
  // stands for that memory, which must stay as it is, until something else is written or lent.
  virtual Event lend(Buffer& buffer, const HostView& from) { return write(buffer, from); }
  virtual Event read(const Buffer& buffer, const HostSpan& to) = 0;
  // The graph may be taken apart on the way: who gives away the only one needs less memory.
  virtual std::unique_ptr<Executable> compile(ir::Graph graph, const CompileOptions& options) = 0;
  // What compile(graph, options) would need, without making code or allocating.
  virtual StepMemory plan(const ir::Graph& graph, const CompileOptions& options = {}) = 0;
};

struct BackendOptions {
  int threads = 0;           // 0: the cores this process may use (cgroups respected)
  std::string cache_folder;  // empty: the default of base/environment.h
  // Whether steps of the backend may run at the same time, in several threads. If not, they share
  // one workspace, as large as the largest needs.
  bool has_overlapping_runs = true;
};

// Opens a backend by device name: "reference" or "cpu". UserError listing the known names.
std::unique_ptr<Backend> open(std::string_view device, const BackendOptions& options = {});
std::vector<std::string> device_names();

}  // namespace tenon::backends

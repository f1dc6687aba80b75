#include "tenon/backends/reference/reference.h"

#include <algorithm>
#include <chrono>

#include "tenon/backends/host_buffer.h"
#include "tenon/backends/signature.h"
#include "tenon/base/text.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"

namespace tenon::backends {

namespace {

// The largest sum of node results alive at once while the interpreter runs, and all constants.
MemoryReport interpreter_memory(const ir::Graph& graph, const Signature& signature) {
  MemoryReport report = signature_memory(signature);
  const auto count = graph.nodes().size();
  std::vector<std::size_t> last_use(count);
  for (std::size_t i = 0; i < count; ++i)
    for (const ir::Value operand : graph.nodes()[i].operands) last_use[operand.node] = i;
  for (const ir::Output& output : graph.outputs()) last_use[output.value.node] = count;

  std::vector<std::int64_t> bytes(count);
  std::int64_t live = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const ir::Node& node = graph.nodes()[i];
    if (std::holds_alternative<ir::Parameter>(node.op)) continue;
    for (const TensorType& type : node.results) bytes[i] += byte_size(type);
    if (std::holds_alternative<ir::Constant>(node.op)) report.constants += bytes[i];
    live += bytes[i];
    report.arena = std::max(report.arena, live);
    for (const ir::Value operand : node.operands)
      if (last_use[operand.node] == i) live -= std::exchange(bytes[operand.node], 0);
  }
  return report;
}

class ReferenceStep final : public Step {
 public:
  ReferenceStep(std::shared_ptr<const ir::Graph> graph, std::shared_ptr<const Signature> signature,
                std::span<Buffer* const> state)
      : graph_(std::move(graph)),
        signature_(std::move(signature)),
        state_(state.begin(), state.end()) {}

  Event run(std::span<Buffer* const> inputs, std::span<Buffer> results) override {
    require_buffers("input", signature_->inputs, inputs);
    prepare_results(*signature_, results);
    std::vector<const HostTensor*> operands(graph_->inputs().size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      operands[signature_->inputs[i].position] = &host_tensor(*inputs[i]);
    std::vector<Buffer*> state_of(graph_->inputs().size());
    for (std::size_t i = 0; i < state_.size(); ++i) {
      const std::uint32_t position = signature_->state.position(i);
      state_of[position] = state_[i];
      operands[position] = &host_tensor(*state_[i]);
    }
    ir::HostTensors outputs = ir::interpret(*graph_, operands);
    std::size_t result = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto updated = graph_->outputs()[i].updates_input;
      Buffer& target = updated ? *state_of[*updated] : results[result++];
      write_host_buffer(target, outputs[i]);
    }
    return {};
  }
  Event run_many(std::span<Buffer* const> inputs, std::size_t moving, std::int64_t count,
                 std::span<Buffer> results) override {
    require_inputs_of_many(signature_->inputs, inputs, moving, count);
    Buffer one = allocate_host_buffer({signature_->inputs[moving].type, {}});
    std::vector<Buffer*> own(inputs.begin(), inputs.end());
    own[moving] = &one;
    const std::span<std::byte> to = host_tensor(one).bytes();
    const std::span<const std::byte> all = host_tensor(*inputs[moving]).bytes();
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      std::ranges::copy(all.subspan(i * to.size(), to.size()), to.begin());
      run(own, results);
    }
    return {};
  }

 private:
  std::shared_ptr<const ir::Graph> graph_;
  std::shared_ptr<const Signature> signature_;
  std::vector<Buffer*> state_;
};

class ReferenceExecutable final : public Executable {
 public:
  explicit ReferenceExecutable(ir::Graph graph)
      : graph_(std::make_shared<const ir::Graph>(std::move(graph))),
        signature_(std::make_shared<const Signature>(make_signature(*graph_))),
        memory_(interpreter_memory(*graph_, *signature_)) {}

  std::unique_ptr<Step> bind(std::span<Buffer* const> state) override {
    require_buffers("state", signature_->state.unpacked(), state);
    return std::make_unique<ReferenceStep>(graph_, signature_, state);
  }
  const MemoryReport& memory() const override { return memory_; }
  const CompileReport& report() const override { return report_; }
  std::string text(std::string_view stage) const override {
    return stage == "graph" ? ir::print(*graph_) : std::string();
  }

 private:
  std::shared_ptr<const ir::Graph> graph_;
  std::shared_ptr<const Signature> signature_;
  MemoryReport memory_;
  CompileReport report_;
};

class ReferenceBackend final : public Backend {
 public:
  std::string_view name() const override { return "reference"; }
  Buffer allocate(const BufferType& type) override { return allocate_host_buffer(type); }
  Buffer adopt(HostTensor value) override { return adopt_host_buffer(std::move(value)); }
  Event write(Buffer& buffer, const HostView& from) override {
    write_host_buffer(buffer, from);
    return {};
  }
  Event read(const Buffer& buffer, const HostSpan& to) override {
    read_host_buffer(buffer, to);
    return {};
  }
  std::unique_ptr<Executable> compile(ir::Graph graph, const CompileOptions& options) override {
    require(options.skip.empty(), "device reference has no optimisations to leave out, as {}",
            in_quotes(join(options.skip, ",")));
    return std::make_unique<ReferenceExecutable>(std::move(graph));
  }
  StepMemory plan(const ir::Graph& graph, const CompileOptions&) override {
    return {interpreter_memory(graph, make_signature(graph)), {}};
  }
};

}  // namespace

std::unique_ptr<Backend> open_reference() { return std::make_unique<ReferenceBackend>(); }

}  // namespace tenon::backends

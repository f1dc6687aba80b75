#include "tenon/ir/interpret.h"

namespace tenon::ir {

HostTensors interpret(const Graph& graph, OperandValues inputs, const NodeObserver& observe) {
  require(inputs.size() == graph.inputs().size(), "the graph has {} inputs, {} were given",
          graph.inputs().size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    require(inputs[i]->type() == graph.inputs()[i].type, "input {} (\"{}\") is {}, expected {}", i,
            graph.inputs()[i].name, inputs[i]->type(), graph.inputs()[i].type);

  std::vector<std::uint32_t> last_use(graph.nodes().size());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    for (const Value operand : graph.node(i).operands) last_use[operand.node] = i;
  for (const Output& output : graph.outputs())
    last_use[output.value.node] = static_cast<std::uint32_t>(graph.nodes().size());

  std::vector<HostTensors> computed(graph.nodes().size());
  const auto value_of = [&](Value value) -> const HostTensor& {
    if (const auto* parameter = std::get_if<Parameter>(&graph.node(value.node).op))
      return *inputs[static_cast<std::size_t>(parameter->position)];
    return computed[value.node][value.result];
  };
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.node(i);
    if (std::holds_alternative<Parameter>(node.op)) continue;
    std::vector<const HostTensor*> operands;
    for (const Value operand : node.operands) operands.push_back(&value_of(operand));
    computed[i] = evaluate(node.op, operands);
    check(computed[i].size() == node.results.size(), "{} evaluated to {} results, not {}",
          name(node.op), computed[i].size(), node.results.size());
    for (std::size_t k = 0; k < node.results.size(); ++k)
      check(computed[i][k].type() == node.results[k],
            "type rule and evaluation disagree for {}: {} and {}", name(node.op), node.results[k],
            computed[i][k].type());
    if (observe) observe(i, operands, computed[i]);
    for (const Value operand : node.operands)
      if (last_use[operand.node] == i) computed[operand.node].clear();
  }
  HostTensors outputs;
  for (const Output& output : graph.outputs()) outputs.push_back(value_of(output.value));
  return outputs;
}

HostTensors interpret(const Graph& graph, OperandValues inputs) {
  return interpret(graph, inputs, {});
}

HostTensors interpret(const Graph& graph, std::span<const HostTensor> inputs) {
  std::vector<const HostTensor*> pointers;
  for (const HostTensor& input : inputs) pointers.push_back(&input);
  return interpret(graph, pointers);
}

}  // namespace tenon::ir

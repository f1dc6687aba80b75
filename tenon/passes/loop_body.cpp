#include "tenon/passes/loop_body.h"

namespace tenon::passes {
using namespace ir;

// Iterative: bodies may be long chains.
Value NodeCopier::copy(Value value) {
  std::vector<std::uint32_t> pending = {value.node};
  while (!pending.empty()) {
    const std::uint32_t index = pending.back();
    if (copies_[index]) {
      pending.pop_back();
      continue;
    }
    const Node& node = from_.node(index);
    check(!std::holds_alternative<Parameter>(node.op), "%{} of a loop body is not given", index);
    const std::size_t waiting = pending.size();
    for (const Value operand : node.operands)
      if (!copies_[operand.node]) pending.push_back(operand.node);
    if (pending.size() > waiting) continue;
    std::vector<Value> operands;
    for (const Value operand : node.operands)
      operands.push_back(
          {copies_[operand.node]->node, copies_[operand.node]->result + operand.result});
    copies_[index] = to_.add(node.op, operands);
    if (const NodeInfo* info = from_.info(index)) to_.describe(copies_[index]->node, *info);
    pending.pop_back();
  }
  return {copies_[value.node]->node, copies_[value.node]->result + value.result};
}

std::vector<std::uint32_t> parameter_nodes(const Graph& graph) {
  std::vector<std::uint32_t> nodes(graph.inputs().size());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (const auto* parameter = std::get_if<Parameter>(&graph.node(i).op))
      nodes[static_cast<std::size_t>(parameter->position)] = i;
  return nodes;
}

}  // namespace tenon::passes

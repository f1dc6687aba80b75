#include "tenon/ir/rebuild.h"

namespace tenon::ir {

std::vector<bool> live_nodes(const Graph& graph) {
  std::vector<bool> live(graph.nodes().size());
  for (const Output& output : graph.outputs()) live[output.value.node] = true;
  for (std::size_t i = live.size(); i-- > 0;)
    if (live[i])
      for (const Value operand : graph.node(static_cast<std::uint32_t>(i)).operands)
        live[operand.node] = true;
  return live;
}

Graph rebuild(const Graph& graph, const std::function<Replacement(const RebuildNode&)>& replace) {
  const std::vector<bool> live = live_nodes(graph);
  Builder builder;
  std::vector<std::vector<Value>> renamed(graph.nodes().size());
  const auto renamed_value = [&](Value value) { return renamed[value.node][value.result]; };
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.node(i);
    const NodeInfo* info = graph.info(i);
    if (const auto* parameter = std::get_if<Parameter>(&node.op)) {
      renamed[i] = {builder.input(graph.inputs()[static_cast<std::size_t>(parameter->position)])};
      if (info) builder.describe(renamed[i][0].node, *info);
      continue;
    }
    if (!live[i]) continue;
    std::vector<Value> operands;
    for (const Value operand : node.operands) operands.push_back(renamed_value(operand));
    const std::uint32_t first_new = builder.node_count();
    if (Replacement values = replace({builder, graph, i, node.op, operands})) {
      check(types_of(builder, *values) == node.results,
            "the replacement of {} has types ({}), not ({})", name(node.op),
            fmt::join(types_of(builder, *values), ", "), fmt::join(node.results, ", "));
      renamed[i] = std::move(*values);
      for (std::uint32_t k = first_new; info && k < builder.node_count(); ++k)
        builder.describe(k, *info);
    } else {
      renamed[i] = builder.results(builder.add(node.op, operands));
      if (info) builder.describe(renamed[i][0].node, *info);
    }
  }
  std::vector<Output> outputs(graph.outputs().begin(), graph.outputs().end());
  for (Output& output : outputs) output.value = renamed_value(output.value);
  return std::move(builder).finish(std::move(outputs));
}

}  // namespace tenon::ir

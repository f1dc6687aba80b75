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

std::vector<std::uint32_t> nodes_by_need(const Graph& graph) {
  std::vector<std::uint32_t> order;
  std::vector<bool> is_seen(graph.nodes().size());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (std::holds_alternative<Parameter>(graph.node(i).op)) {
      order.push_back(i);
      is_seen[i] = true;
    }
  // Depth first with a stack of its own: graphs are deeper than the machine's stack allows.
  std::vector<std::pair<std::uint32_t, std::size_t>> path;  // node, its next operand
  for (const Output& output : graph.outputs()) {
    const auto enter = [&](std::uint32_t node) {
      if (is_seen[node]) return;
      is_seen[node] = true;
      path.emplace_back(node, 0);
    };
    enter(output.value.node);
    while (!path.empty()) {
      auto& [node, next] = path.back();
      const std::vector<Value>& operands = graph.node(node).operands;
      if (next < operands.size()) {
        enter(operands[next++].node);
      } else {
        order.push_back(node);
        path.pop_back();
      }
    }
  }
  return order;
}

Graph rebuild(const Graph& graph, const std::function<Replacement(const RebuildNode&)>& replace) {
  Builder builder;
  builder.reserve(graph.nodes().size());
  std::vector<std::vector<Value>> renamed(graph.nodes().size());
  const auto renamed_value = [&](Value value) { return renamed[value.node][value.result]; };
  for (const std::uint32_t i : nodes_by_need(graph)) {
    const Node& node = graph.node(i);
    const NodeInfo* info = graph.info(i);
    if (const auto* parameter = std::get_if<Parameter>(&node.op)) {
      renamed[i] = {builder.input(graph.inputs()[static_cast<std::size_t>(parameter->position)])};
      if (info) builder.describe(renamed[i][0].node, *info);
      continue;
    }
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

#include "tenon/passes/rewrite.h"

#include "tenon/ir/subgraphs.h"

namespace tenon::passes {
using namespace ir;

TensorType Match::result_type() const { return infer_types(op, types_of(builder, operands))[0]; }

namespace {

// How often live nodes and outputs use each value.
std::map<Value, std::uint32_t> count_uses(const Graph& graph) {
  std::map<Value, std::uint32_t> uses;
  const std::vector<bool> live = live_nodes(graph);
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (live[i])
      for (const Value operand : graph.node(i).operands) ++uses[operand];
  for (const Output& output : graph.outputs()) ++uses[output.value];
  return uses;
}

Graph rewrite_once(const Graph& graph, std::span<const Rule> rules, RewriteReport& report,
                   bool& changed) {
  const std::map<Value, std::uint32_t> all_uses = count_uses(graph);
  return rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    std::vector<std::uint32_t> uses;
    for (const Value operand : graph.node(node.index).operands)
      uses.push_back(all_uses.at(operand));
    for (const Rule& rule : rules) {
      Replacement values = rule.apply({node.builder, node.op, node.operands, uses});
      if (!values) continue;
      ++report.applied[rule.name];
      changed = true;
      return values;
    }
    return std::nullopt;
  });
}

}  // namespace

Graph rewrite(const Graph& graph, std::span<const Rule> rules, RewriteReport* report) {
  RewriteReport local;
  RewriteReport& counts = report ? *report : local;
  Graph current = rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    if (!has_subgraphs(node.op)) return std::nullopt;
    Op op =
        map_subgraphs(node.op, [&](const Graph& inner) { return rewrite(inner, rules, &counts); });
    return node.builder.results(node.builder.add(std::move(op), node.operands));
  });
  for (int round = 0;; ++round) {
    bool changed = false;
    Graph next = rewrite_once(current, rules, counts, changed);
    current = std::move(next);
    counts.rounds = std::max(counts.rounds, round + 1);
    if (!changed) return current;
    if (round + 1 == kMostRounds) {
      counts.finished = false;
      return current;
    }
  }
}

}  // namespace tenon::passes

#include <set>

#include "tenon/ir/rebuild.h"
#include "tenon/ir/subgraphs.h"
#include "tenon/passes/loop_body.h"
#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

// What of a loop is needed, by body input and by body output.
struct ScanNeeds {
  std::vector<bool> inputs;
  std::vector<bool> outputs;
  bool all() const {
    return !std::ranges::count(inputs, false) && !std::ranges::count(outputs, false);
  }
};

// A carried value is needed if its result is used or a needed output of the body reads it.
ScanNeeds scan_needs(const Scan& scan, const std::vector<bool>& used_results) {
  const Graph& body = *scan.body;
  const std::vector<std::uint32_t> parameters = parameter_nodes(body);
  ScanNeeds needs{std::vector<bool>(parameters.size()), used_results};
  std::vector<bool> live(body.nodes().size());
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t k = 0; k < needs.outputs.size(); ++k)
      if (needs.outputs[k]) live[body.outputs()[k].value.node] = true;
    for (std::size_t i = live.size(); i-- > 0;)
      if (live[i])
        for (const Value operand : body.node(static_cast<std::uint32_t>(i)).operands)
          live[operand.node] = true;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const bool carried = static_cast<std::int64_t>(i) < scan.carried;
      needs.inputs[i] = live[parameters[i]] || (carried && needs.outputs[i]);
      if (carried && needs.inputs[i] && !needs.outputs[i]) needs.outputs[i] = changed = true;
    }
  }
  return needs;
}

// Which values are used, with loops using only the operands they need. needs[i] is set for loops.
struct Liveness {
  std::set<Value> used;
  std::vector<std::optional<ScanNeeds>> needs;
};
Liveness find_liveness(const Graph& graph) {
  Liveness found{{}, std::vector<std::optional<ScanNeeds>>(graph.nodes().size())};
  for (const Output& output : graph.outputs()) found.used.insert(output.value);
  for (std::uint32_t i = static_cast<std::uint32_t>(graph.nodes().size()); i-- > 0;) {
    const Node& node = graph.node(i);
    std::vector<bool> used(node.results.size());
    for (std::uint32_t k = 0; k < used.size(); ++k) used[k] = found.used.contains({i, k});
    if (std::ranges::count(used, true) == 0) continue;
    const auto* scan = std::get_if<Scan>(&node.op);
    if (scan) found.needs[i] = scan_needs(*scan, used);
    for (std::size_t k = 0; k < node.operands.size(); ++k)
      if (!scan || found.needs[i]->inputs[k]) found.used.insert(node.operands[k]);
  }
  return found;
}

// The loop without what is not needed; results nobody reads become zeros, which are dead.
std::vector<Value> trimmed_scan(Builder& b, const Scan& scan, std::span<const Value> operands,
                                const ScanNeeds& needs, const TensorTypes& types) {
  const Graph& old = *scan.body;
  const std::vector<std::uint32_t> parameters = parameter_nodes(old);
  Builder body;
  NodeCopier copier(old, body);
  std::vector<Value> kept;
  Scan trimmed{{}, scan.length, 0, 0, scan.reverse};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!needs.inputs[i]) continue;
    const auto position = static_cast<std::int64_t>(i);
    if (position < scan.carried)
      ++trimmed.carried;
    else if (position < scan.carried + scan.scanned)
      ++trimmed.scanned;
    copier.give(parameters[i], body.input(old.inputs()[i]));
    kept.push_back(operands[i]);
  }
  std::vector<Value> outputs;
  for (std::size_t k = 0; k < needs.outputs.size(); ++k)
    if (needs.outputs[k]) outputs.push_back(copier.copy(old.outputs()[k].value));
  trimmed.body = GraphRef(std::move(body).finish(outputs));
  const std::vector<Value> fresh = b.results(b.add(std::move(trimmed), kept));
  std::vector<Value> results;
  for (std::size_t k = 0, next = 0; k < types.size(); ++k)
    results.push_back(needs.outputs[k] ? fresh[next++] : splat(b, 0, types[k]));
  return results;
}

}  // namespace

Graph remove_dead(const Graph& graph, const PassContext& context) {
  const Graph inner_done = rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    if (!has_subgraphs(node.op)) return std::nullopt;
    Op op = map_subgraphs(node.op, [&](const Graph& inner) { return remove_dead(inner, context); });
    return node.builder.results(node.builder.add(std::move(op), node.operands));
  });
  const Liveness liveness = find_liveness(inner_done);
  const Graph trimmed = rebuild(inner_done, [&](const RebuildNode& node) -> Replacement {
    const auto* scan = std::get_if<Scan>(&node.op);
    const auto& needs = liveness.needs[node.index];
    if (!scan || !needs || needs->all()) return std::nullopt;
    return trimmed_scan(node.builder, *scan, node.operands, *needs,
                        inner_done.node(node.index).results);
  });
  return rebuild(trimmed, [](const RebuildNode&) -> Replacement { return std::nullopt; });
}

}  // namespace tenon::passes

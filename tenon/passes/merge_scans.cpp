#include "tenon/ir/rebuild.h"
#include "tenon/ir/subgraphs.h"
#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

// One body that computes what both do, if both carry the same values: equal nodes merge as they are
// added, so the carried outputs then coincide.
std::optional<Graph> merged_body(const Graph& first, const Graph& second, std::int64_t carried) {
  std::vector<Value> inputs;
  Builder body = builder_with_inputs_of(first, inputs);
  std::vector<Value> outputs = inline_graph(body, first, inputs);
  const std::vector<Value> others = inline_graph(body, second, inputs);
  if (!std::equal(outputs.begin(), outputs.begin() + carried, others.begin())) return std::nullopt;
  outputs.insert(outputs.end(), others.begin() + carried, others.end());
  return std::move(body).finish(outputs);
}

bool runs_alike(const Scan& a, const Scan& b) {
  return a.length == b.length && a.carried == b.carried && a.scanned == b.scanned &&
         a.reverse == b.reverse;
}

}  // namespace

// A gradient runs its loop once more to save what each step starts from; this makes it one loop.
Graph merge_scans(const Graph& graph, const PassContext& context) {
  std::map<std::uint32_t, std::vector<Value>> merged;  // results of loops that came earlier
  std::map<std::vector<Value>, std::vector<std::uint32_t>> scans_over;  // operands
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (std::holds_alternative<Scan>(graph.node(i).op))
      scans_over[graph.node(i).operands].push_back(i);
  return rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    if (!has_subgraphs(node.op)) return std::nullopt;
    Builder& b = node.builder;
    if (const auto found = merged.find(node.index); found != merged.end()) return found->second;
    const Op op =
        map_subgraphs(node.op, [&](const Graph& inner) { return merge_scans(inner, context); });
    const auto* scan = std::get_if<Scan>(&op);
    if (scan == nullptr) return b.results(b.add(op, node.operands));

    const auto carried = static_cast<std::uint32_t>(scan->carried);
    auto count = static_cast<std::uint32_t>(graph.node(node.index).results.size());
    Scan all = *scan;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> partners;  // node, first stacked result
    for (const std::uint32_t i : scans_over[graph.node(node.index).operands]) {
      const auto& other = std::get<Scan>(graph.node(i).op);
      if (i <= node.index || merged.contains(i) || !runs_alike(*scan, other)) continue;
      std::optional<Graph> body =
          merged_body(*all.body, merge_scans(*other.body, context), scan->carried);
      if (!body) continue;
      all.body = GraphRef(std::move(*body));
      partners.emplace_back(i, count);
      count += static_cast<std::uint32_t>(graph.node(i).results.size()) - carried;
    }
    const std::vector<Value> results = b.results(b.add(std::move(all), node.operands));
    for (const auto& [partner, first] : partners) {
      const std::size_t stacked = graph.node(partner).results.size() - carried;
      std::vector<Value>& own = merged[partner];
      own.assign(results.begin(), results.begin() + carried);
      own.insert(own.end(), results.begin() + first,
                 results.begin() + first + static_cast<std::ptrdiff_t>(stacked));
    }
    return std::vector<Value>(
        results.begin(),
        results.begin() + static_cast<std::ptrdiff_t>(graph.node(node.index).results.size()));
  });
}

}  // namespace tenon::passes

#include "tenon/ir/inline_composites.h"

#include "tenon/ir/rebuild.h"
#include "tenon/ir/subgraphs.h"

namespace tenon::ir {

Graph inline_composites(const Graph& graph, const std::function<bool(const Op&)>& keep) {
  const auto expand = [&](const Graph& inner) { return inline_composites(inner, keep); };
  return rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    Builder& b = node.builder;
    if (!keep(node.op)) {
      if (const auto* custom = std::get_if<CustomGradient>(&node.op))
        return inline_graph(b, expand(*custom->forward), node.operands);
      if (const auto definition = definition_of(node.op, types_of(b, node.operands)))
        return inline_graph(b, expand(*definition), node.operands);
    }
    if (!has_subgraphs(node.op)) return std::nullopt;
    return b.results(b.add(map_subgraphs(node.op, expand), node.operands));
  });
}

}  // namespace tenon::ir

// Replaces composites by their definitions.
#pragma once
#include <functional>

#include "tenon/ir/graph.h"

namespace tenon::ir {

// The graph with every composite that `keep` refuses replaced by its definition (again and again,
// until none is left), and every refused CustomGradient by its forward graph; in sub-graphs too.
Graph inline_composites(const Graph& graph, const std::function<bool(const Op&)>& keep);

}  // namespace tenon::ir

// Visiting and replacing the graphs that an op holds.
#pragma once
#include <functional>

#include "tenon/ir/graph.h"

namespace tenon::ir {

// Calls visit for each sub-graph of the op, in the order of its fields.
void for_each_subgraph(const Op& op, const std::function<void(const Graph&)>& visit);
bool has_subgraphs(const Op& op);
// The op with each sub-graph replaced by change(sub-graph).
Op map_subgraphs(const Op& op, const std::function<Graph(const Graph&)>& change);

}  // namespace tenon::ir

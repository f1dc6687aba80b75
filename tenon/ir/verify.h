// The invariants of a graph, checked: for tests, and for the pass driver after every pass.
#pragma once
#include "tenon/ir/graph.h"

namespace tenon::ir {

// InternalError that names the first violation and prints the graph: operands come from earlier
// nodes and exist, result types are what the type rules infer, each input has exactly one Parameter
// of its position and type, outputs exist and update a state input of their type at most once, and
// all of that holds in sub-graphs.
void verify(const Graph& graph);

}  // namespace tenon::ir

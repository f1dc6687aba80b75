// Checks of sub-graphs that every control flow op shares.
#pragma once
#include "tenon/ir/graph.h"

namespace tenon::ir {

// UserError "OP: WHICH ..." unless the sub-graph is there, takes operands of exactly these types
// and assigns no state (state is updated by the outermost graph only).
void require_subgraph(std::string_view op, std::string_view which, const GraphRef& graph,
                      OperandTypes inputs);

// The upstream of result k, or zeros.
Value upstream_or_zeros(const GradientInputs& in, std::size_t result);

}  // namespace tenon::ir

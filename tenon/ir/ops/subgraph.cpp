#include "tenon/ir/ops/subgraph.h"

#include "tenon/ir/build.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {

void require_subgraph(std::string_view op, std::string_view which, const GraphRef& graph,
                      OperandTypes inputs) {
  require(static_cast<bool>(graph), "{}: {} is missing", op, which);
  const TensorTypes taken = input_types(*graph);
  require(std::ranges::equal(taken, inputs), "{}: {} takes ({}), it is given ({})", op, which,
          list_of(taken), list_of(inputs));
  for (const Output& output : graph->outputs()) {
    const bool is_update = output.updates_input.has_value();
    require(!is_update, "{}: {} assigns \"{}\"; only the outermost graph updates state", op, which,
            is_update ? graph->inputs()[*output.updates_input].name : std::string());
  }
}

Value upstream_or_zeros(const GradientInputs& in, std::size_t result) {
  return in.upstream[result] ? *in.upstream[result] : zeros_like(in.builder, in.results[result]);
}

}  // namespace tenon::ir

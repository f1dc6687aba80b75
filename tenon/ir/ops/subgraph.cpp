#include "tenon/ir/ops/subgraph.h"

#include "tenon/ir/build.h"

namespace tenon::ir {

std::string types_text(OperandTypes types) {
  std::string text = "(";
  for (const TensorType& type : types) text += (text.size() > 1 ? ", " : "") + to_string(type);
  return text + ")";
}

void require_subgraph(std::string_view op, std::string_view which, const GraphRef& graph,
                      OperandTypes inputs) {
  require(static_cast<bool>(graph), "{}: {} is missing", op, which);
  const TensorTypes taken = input_types(*graph);
  require(std::ranges::equal(taken, inputs), "{}: {} takes {}, it is given {}", op, which,
          types_text(taken), types_text(inputs));
  for (const Output& output : graph->outputs())
    require(!output.updates_input, "{}: {} assigns \"{}\"; only the outermost graph updates state",
            op, which, graph->inputs()[*output.updates_input].name);
}

Value upstream_or_zeros(const GradientInputs& in, std::size_t result) {
  return in.upstream[result] ? *in.upstream[result] : zeros_like(in.builder, in.results[result]);
}

}  // namespace tenon::ir

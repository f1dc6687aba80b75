#include "tenon/ir/build.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/ops/index.h"
#include "tenon/ir/ops/subgraph.h"

namespace tenon::ir {

// While

TensorTypes infer_types(const While& op, OperandTypes types) {
  require_subgraph("while", "condition", op.condition, types);
  require_subgraph("while", "body", op.body, types);
  const TensorTypes decision = output_types(*op.condition);
  require(decision.size() == 1 && decision[0] == TensorType{DType::boolean, {}},
          "while: condition must return one bool[], it returns ({})", list_of(decision));
  const TensorTypes next = output_types(*op.body);
  require(std::ranges::equal(next, types), "while: the state is ({}), body returns ({})",
          list_of(types), list_of(next));
  return next;
}

HostTensors evaluate(const While& op, OperandValues values) {
  HostTensors state;
  for (const HostTensor* value : values) state.push_back(*value);
  while (interpret(*op.condition, std::span<const HostTensor>(state))[0].as<bool>()[0])
    state = interpret(*op.body, std::span<const HostTensor>(state));
  return state;
}

Gradients gradient(const While&, const GradientInputs& in) {
  for (const Value operand : in.operands)
    require(!is_float(in.builder.type(operand).dtype),
            "while: has no derivative; use scan (a known number of steps)");
  return Gradients(in.operands.size());
}

// Cond

TensorTypes infer_types(const Cond& op, OperandTypes types) {
  require(!types.empty() && types[0] == TensorType{DType::boolean, {}},
          "cond: the first operand must be bool[], the operands are ({})", list_of(types));
  require_subgraph("cond", "on_true", op.on_true, types.subspan(1));
  require_subgraph("cond", "on_false", op.on_false, types.subspan(1));
  TensorTypes results = output_types(*op.on_true);
  const TensorTypes others = output_types(*op.on_false);
  require(results == others, "cond: on_true returns ({}), on_false returns ({})", list_of(results),
          list_of(others));
  return results;
}

HostTensors evaluate(const Cond& op, OperandValues values) {
  const Graph& branch = values[0]->as<bool>()[0] ? *op.on_true : *op.on_false;
  return interpret(branch, values.subspan(1));
}

// A choice between the derivatives of the branches; the chosen one computes its forward again.
Gradients gradient(const Cond& op, const GradientInputs& in) {
  const VectorJacobian on_true = in.differentiate(*op.on_true);
  const VectorJacobian on_false = in.differentiate(*op.on_false);
  Gradients all(in.operands.size());
  if (on_true.graph->outputs().empty()) return all;
  std::vector<Value> operands(in.operands.begin(), in.operands.end());
  for (std::size_t i = 0; i < in.results.size(); ++i)
    if (on_true.cotangent_input[i]) operands.push_back(upstream_or_zeros(in, i));
  const Value first = in.builder.add(Cond{on_true.graph, on_false.graph}, operands);
  for (std::size_t i = 1; i < all.size(); ++i)
    if (const auto slot = on_true.gradient_output[i - 1]) all[i] = Value{first.node, *slot};
  return all;
}

// CustomGradient

TensorTypes infer_types(const CustomGradient& op, OperandTypes types) {
  require_subgraph("custom_gradient", "forward", op.forward, types);
  TensorTypes results = output_types(*op.forward);
  TensorTypes inputs(types.begin(), types.end());
  inputs.insert(inputs.end(), results.begin(), results.end());
  inputs.insert(inputs.end(), results.begin(), results.end());
  require_subgraph("custom_gradient", "backward", op.backward, inputs);
  const TensorTypes gradients = output_types(*op.backward);
  require(gradients.size() == types.size(),
          "custom_gradient: backward returns {} gradients for {} operands", gradients.size(),
          types.size());
  for (std::size_t i = 0; i < types.size(); ++i)
    require(!is_float(types[i].dtype) || gradients[i] == types[i],
            "custom_gradient: operand {} is {}, its gradient from backward is {}", i, types[i],
            gradients[i]);
  return results;
}

HostTensors evaluate(const CustomGradient& op, OperandValues values) {
  return interpret(*op.forward, values);
}

Gradients gradient(const CustomGradient& op, const GradientInputs& in) {
  std::vector<Value> inputs(in.operands.begin(), in.operands.end());
  inputs.insert(inputs.end(), in.results.begin(), in.results.end());
  for (std::size_t i = 0; i < in.results.size(); ++i) inputs.push_back(upstream_or_zeros(in, i));
  const std::vector<Value> outputs = inline_graph(in.builder, *op.backward, inputs);
  Gradients all(in.operands.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    // A backward that returns zeros stops the gradient: nothing flows.
    const auto zero = splat_value(in.builder, outputs[i]);
    const bool stops = zero && *zero == 0 && !std::signbit(*zero);
    if (is_float(in.builder.type(in.operands[i]).dtype) && !stops) all[i] = outputs[i];
  }
  return all;
}

}  // namespace tenon::ir

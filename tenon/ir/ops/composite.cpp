#include "tenon/ir/interpret.h"
#include "tenon/ir/ops/composite_build.h"

namespace tenon::ir {

TensorTypes composite_types(std::string_view op, const std::function<Graph()>& definition) {
  try {
    return output_types(definition());
  } catch (const UserError& error) {
    const std::string_view message = error.what();
    if (message.starts_with(op)) throw;
    throw UserError(fmt::format("{}: {}", op, message));
  }
}

HostTensors composite_evaluate(const Graph& definition, OperandValues values) {
  return interpret(definition, values);
}

// Differentiates only the outputs that something flows into.
Gradients composite_gradient(const Graph& definition, const GradientInputs& in) {
  std::vector<Value> inputs;
  Builder copy = builder_with_inputs_of(definition, inputs);
  const std::vector<Value> outputs = inline_graph(copy, definition, inputs);
  std::vector<Value> used;
  std::vector<Value> arguments(in.operands.begin(), in.operands.end());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!in.upstream[i] || !is_float(copy.type(outputs[i]).dtype)) continue;
    used.push_back(outputs[i]);
    arguments.push_back(*in.upstream[i]);
  }
  Gradients all(in.operands.size());
  if (used.empty()) return all;
  const VectorJacobian jacobian = in.differentiate(std::move(copy).finish(used));
  const std::vector<Value> gradients = inline_graph(in.builder, *jacobian.graph, arguments);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (const auto slot = jacobian.gradient_output[i]) all[i] = gradients[*slot];
  return all;
}

TensorTypes operand_types(const GradientInputs& in) { return types_of(in.builder, in.operands); }

TensorTypes value_types(OperandValues values) {
  TensorTypes types;
  for (const HostTensor* value : values) types.push_back(value->type());
  return types;
}

void require_float(std::string_view op, std::string_view name, const TensorType& type) {
  require(is_float(type.dtype), "{}: {} must be of a float type, got {}", op, name, type);
}

void require_type(std::string_view op, std::string_view name, const TensorType& type,
                  const TensorType& expected) {
  require(type == expected, "{}: {} must be {}, got {}", op, name, expected, type);
}

Value widened(Builder& b, Value x) { return cast(b, x, accumulation_type(b.type(x).dtype)); }

Value sum_along(Builder& b, Value x, std::int64_t axis) {
  const Shape shape = b.type(x).shape;
  return broadcast_along(b, reduce_sum(b, x, {axis}), shape, {axis});
}

Value max_along(Builder& b, Value x, std::int64_t axis) {
  const Shape shape = b.type(x).shape;
  const Value largest = reduce(b, ReduceKind::max, stop_gradient(b, x), {axis});
  return broadcast_along(b, largest, shape, {axis});
}

Value scale(Builder& b, Value x, double factor) {
  const TensorType type = b.type(x);
  return multiply(b, x, splat(b, factor, type));
}

Value data_input(Builder& b, std::string name, const TensorType& type) {
  return b.input({std::move(name), type, Role::data, Sharding{}});
}

}  // namespace tenon::ir

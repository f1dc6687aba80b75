#include "tenon/ir/ops/composite_build.h"

namespace tenon::ir {
namespace {

// Tensors of the type of the first, then scalars of its element type.
void check_update(std::string_view op, OperandTypes types, std::span<const std::string_view> names,
                  std::size_t tensors) {
  require_operands(op, types, names.size());
  require_float(op, names[0], types[0]);
  for (std::size_t i = 1; i < types.size(); ++i)
    require_type(op, names[i], types[i], i < tensors ? types[0] : TensorType{types[0].dtype, {}});
}

std::vector<Value> update_inputs(Builder& b, OperandTypes types,
                                 std::span<const std::string_view> names) {
  std::vector<Value> inputs;
  for (std::size_t i = 0; i < types.size(); ++i)
    inputs.push_back(widened(b, data_input(b, std::string(names[i]), types[i])));
  return inputs;
}

Value one_minus(Builder& b, Value x) { return subtract(b, splat(b, 1, b.type(x)), x); }

}  // namespace

// Kingma, Ba 2015, algorithm 1 in the order of section 2: with t = step,
// rate = lr * sqrt(1 - beta2^t) / (1 - beta1^t) and eps = epsilon * sqrt(1 - beta2^t),
// w - lr * decay * w - rate * m / (sqrt(v) + eps). 1 - beta^t is -expm1(t log beta), which keeps
// its digits when beta is near 1.
Graph definition(const AdamUpdate& op, OperandTypes types) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"w", "g", "m", "v", "learning_rate", "beta1", "beta2", "epsilon", "weight_decay", "step"});
  check_update(op.kName, types, kNames, 4);
  Builder b;
  const std::vector<Value> in = update_inputs(b, types, kNames);
  const Value w = in[0], g = in[1], lr = in[4], beta1 = in[5], beta2 = in[6], step = in[9];
  const auto stretched = [&](Value scalar) { return broadcast(b, scalar, types[0].shape, {}); };
  const auto correction = [&](Value beta) {
    const Value power = multiply(b, step, log(b, beta));
    return negate(b, elementwise(b, ScalarFunction::expm1, {power}));
  };
  const auto average = [&](Value old, Value fresh, Value beta) {
    return add(b, multiply(b, stretched(beta), old),
               multiply(b, stretched(one_minus(b, beta)), fresh));
  };
  const Value m = average(in[2], g, beta1);
  const Value v = average(in[3], multiply(b, g, g), beta2);
  const Value root = sqrt(b, correction(beta2));
  const Value rate = divide(b, multiply(b, lr, root), correction(beta1));
  const Value floor = multiply(b, in[7], root);
  const Value direction = divide(b, m, add(b, sqrt(b, v), stretched(floor)));
  const Value decay = multiply(b, stretched(multiply(b, lr, in[8])), w);
  const Value next = subtract(b, subtract(b, w, decay), multiply(b, stretched(rate), direction));
  std::vector<Value> results;
  for (const Value value : {next, m, v}) results.push_back(cast(b, value, types[0].dtype));
  return std::move(b).finish(results);
}

Graph definition(const MomentumUpdate& op, OperandTypes types) {
  static constexpr auto kNames =
      std::to_array<std::string_view>({"w", "g", "velocity", "learning_rate", "momentum"});
  check_update(op.kName, types, kNames, 3);
  Builder b;
  const std::vector<Value> in = update_inputs(b, types, kNames);
  const Value rate = broadcast(b, in[3], types[0].shape, {});
  const Value momentum = broadcast(b, in[4], types[0].shape, {});
  const Value velocity = add(b, multiply(b, momentum, in[2]), in[1]);
  const Value direction = op.nesterov ? add(b, in[1], multiply(b, momentum, velocity)) : velocity;
  const Value next = subtract(b, in[0], multiply(b, rate, direction));
  std::vector<Value> results;
  for (const Value value : {next, velocity}) results.push_back(cast(b, value, types[0].dtype));
  return std::move(b).finish(results);
}

}  // namespace tenon::ir

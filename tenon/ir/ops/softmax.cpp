#include <limits>

#include "tenon/ir/ops/composite_build.h"

namespace tenon::ir {
namespace {

void check_softmax_operand(std::string_view op, OperandTypes types, std::int64_t axis) {
  require_operands(op, types, 1);
  require_float(op, "x", types[0]);
  require_axis(op, axis, types[0]);
}

}  // namespace

Graph definition(const Softmax& op, OperandTypes types) {
  check_softmax_operand(op.kName, types, op.axis);
  Builder b;
  const Value x = widened(b, data_input(b, "x", types[0]));
  const Value powers = exp(b, subtract(b, x, max_along(b, x, op.axis)));
  const Value y = divide(b, powers, sum_along(b, powers, op.axis));
  const Value result = cast(b, y, types[0].dtype);
  return std::move(b).finish({result});
}

// dx = y * (g - sum(y * g)).
Gradients gradient(const Softmax& op, const GradientInputs& in) {
  if (!in.upstream[0]) return {std::nullopt};
  Builder& b = in.builder;
  const Value y = widened(b, in.results[0]);
  const Value g = widened(b, *in.upstream[0]);
  const Value mean = sum_along(b, multiply(b, y, g), op.axis);
  const Value dx = multiply(b, y, subtract(b, g, mean));
  return {cast(b, dx, b.type(in.operands[0]).dtype)};
}

Graph definition(const LogSoftmax& op, OperandTypes types) {
  check_softmax_operand(op.kName, types, op.axis);
  Builder b;
  const Value x = widened(b, data_input(b, "x", types[0]));
  const Value shifted = subtract(b, x, max_along(b, x, op.axis));
  const Value total = reduce_sum(b, exp(b, shifted), {op.axis});
  const Value normalizer = broadcast_along(b, log(b, total), types[0].shape, {op.axis});
  const Value result = cast(b, subtract(b, shifted, normalizer), types[0].dtype);
  return std::move(b).finish({result});
}

// dx = g - softmax(x) * sum(g), softmax(x) = exp(y).
Gradients gradient(const LogSoftmax& op, const GradientInputs& in) {
  if (!in.upstream[0]) return {std::nullopt};
  Builder& b = in.builder;
  const Value probability = exp(b, widened(b, in.results[0]));
  const Value g = widened(b, *in.upstream[0]);
  const Value dx = subtract(b, g, multiply(b, probability, sum_along(b, g, op.axis)));
  return {cast(b, dx, b.type(in.operands[0]).dtype)};
}

Graph definition(const SparseCrossEntropy& op, OperandTypes types) {
  require_operands(op.kName, types, 2);
  require_float(op.kName, "logits", types[0]);
  require(types[0].rank() >= 1 && types[0].shape.back() >= 1,
          "{}: logits need a last axis of at least one class, got {}", op.kName, types[0]);
  Shape rows = types[0].shape;
  rows.pop_back();
  require(is_integer(types[1].dtype) && types[1].shape == rows,
          "{}: labels must be integers of shape {} for logits {}, got {}", op.kName,
          tenon::to_string(rows), types[0], types[1]);
  const std::int64_t classes = types[0].rank() - 1;

  Builder b;
  const Value logits = widened(b, data_input(b, "logits", types[0]));
  Shape column = rows;
  column.push_back(1);
  const Value labels = reshape(b, data_input(b, "labels", types[1]), column);
  const Value largest = reduce(b, ReduceKind::max, stop_gradient(b, logits), {classes});
  const Value shifted = subtract(b, logits, broadcast_along(b, largest, types[0].shape, {classes}));
  const Value normalizer = log(b, reduce_sum(b, exp(b, shifted), {classes}));
  const Value picked = b.add(Gather{{classes}, classes}, {shifted, labels});
  const Value loss = cast(b, subtract(b, normalizer, picked), types[0].dtype);
  const Value log_sum_exp = add(b, largest, normalizer);
  return std::move(b).finish({loss, log_sum_exp});
}

// d logits = (p - one_hot) * d loss + p * d log_sum_exp, p = exp(logits - log_sum_exp).
Gradients gradient(const SparseCrossEntropy&, const GradientInputs& in) {
  Builder& b = in.builder;
  if (!in.upstream[0] && !in.upstream[1]) return {std::nullopt, std::nullopt};
  const Value logits = widened(b, in.operands[0]);
  const TensorType type = b.type(logits);
  const Axes classes = {type.rank() - 1};
  const auto repeated = [&](Value row) { return broadcast_along(b, row, type.shape, classes); };
  const Value probability = exp(b, subtract(b, logits, repeated(in.results[1])));

  std::optional<Value> total;
  if (in.upstream[0]) {
    const TensorType labels = b.type(in.operands[1]);
    const std::int64_t last = type.shape.back() - 1;
    const DType index = last <= std::numeric_limits<std::int32_t>::max() ? DType::i32 : DType::i64;
    Value label = maximum(b, in.operands[1], splat(b, 0, labels));
    label = cast(b, minimum(b, label, splat(b, static_cast<double>(last), labels)), index);
    const Value position = b.add(Iota{{index, type.shape}, classes[0]});
    const Value hit = compare(b, ScalarFunction::equal, position, repeated(label));
    const Value one_hot = cast(b, hit, type.dtype);
    total = multiply(b, subtract(b, probability, one_hot),
                     repeated(cast(b, *in.upstream[0], type.dtype)));
  }
  if (in.upstream[1]) {
    const Value part = multiply(b, probability, repeated(*in.upstream[1]));
    total = total ? add(b, *total, part) : part;
  }
  return {cast(b, *total, b.type(in.operands[0]).dtype), std::nullopt};
}

}  // namespace tenon::ir

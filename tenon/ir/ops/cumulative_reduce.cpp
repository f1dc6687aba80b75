#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {

TensorTypes infer_types(const CumulativeReduce& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  require_axis(op.kName, op.axis, types[0]);
  require(op.kind == ReduceKind::sum || op.kind == ReduceKind::product ||
              op.kind == ReduceKind::min || op.kind == ReduceKind::max,
          "cumulative_reduce: kind {} is not one of sum, product, min, max (operand {})",
          name(op.kind), types[0]);
  require_reducible(op.kName, op.kind, types[0]);
  require_accumulation(op.kName, op.kind, op.accumulate, types[0]);
  return {types[0]};
}

HostTensors evaluate(const CumulativeReduce& op, OperandValues values) {
  const HostTensor& x = *values[0];
  HostTensor result(x.type());
  with_element_type(x.dtype(), [&]<class T>(TypeTag<T>) {
    const auto from = x.as<T>();
    const auto to = result.as<T>();
    const bool smallest = op.kind == ReduceKind::min;
    for_each_line(x.shape(), op.axis, [&](std::int64_t first, std::int64_t stride, std::int64_t n) {
      Accumulator<T> total = op.kind == ReduceKind::product ? 1 : 0;
      T best = neutral_extreme<T>(smallest);
      for (std::int64_t i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(first + stride * (op.reverse ? n - 1 - i : i));
        if (op.kind == ReduceKind::sum) {
          to[at] = convert_element<T>(total += widen(from[at]));
        } else if (op.kind == ReduceKind::product) {
          to[at] = convert_element<T>(total *= widen(from[at]));
        } else {
          to[at] = best = extreme_of(smallest, best, from[at]);
        }
      }
    });
  });
  return one_result(std::move(result));
}

namespace {

// With y_j = x_0 ... x_j: dx_i = (x_0 ... x_{i-1}) s_i, where s_i = u_i + x_{i+1} s_{i+1}. The
// recurrence is solved by doubling in log2(n) steps; no division, so zeros in x are exact.
Value cumulative_product_gradient(const CumulativeReduce& op, Builder& b, Value x, Value upstream) {
  const TensorType type = b.type(x);
  const std::int64_t step = op.reverse ? -1 : 1;
  const auto ahead = [&](Value value, std::int64_t distance) {
    return shifted(b, value, op.axis, -step * distance, 0);
  };
  const Value wide = cast(b, x, op.accumulate);
  const CumulativeReduce product{ReduceKind::product, op.axis, op.reverse, op.accumulate};
  const Value before = b.add(product, {shifted(b, wide, op.axis, step, 1)});
  Value sum = cast(b, upstream, op.accumulate);
  Value factor = ahead(wide, 1);
  const std::int64_t extent = type.shape[static_cast<std::size_t>(op.axis)];
  for (std::int64_t distance = 1; distance < extent; distance *= 2) {
    sum = add(b, sum, multiply(b, factor, ahead(sum, distance)));
    if (2 * distance < extent) factor = multiply(b, factor, ahead(factor, distance));
  }
  return cast(b, multiply(b, before, sum), type.dtype);
}

// Each upstream element goes to the element that set the running extreme: the last position at or
// before it where the result changed.
Value cumulative_extreme_gradient(const CumulativeReduce& op, Builder& b, Value result,
                                  Value upstream) {
  const TensorType type = b.type(result);
  const std::int64_t extent = type.shape[static_cast<std::size_t>(op.axis)];
  const bool small = extent <= std::numeric_limits<std::int32_t>::max();
  const DType index_type = small ? DType::i32 : DType::i64;
  const TensorType positions{index_type, type.shape};

  const Value previous = shifted(b, result, op.axis, op.reverse ? -1 : 1, 0);
  // A NaN differs from itself but is set only once.
  const Value changed = elementwise(b, ScalarFunction::logical_and,
                                    {compare(b, ScalarFunction::not_equal, result, previous),
                                     compare(b, ScalarFunction::equal, previous, previous)});
  const Value start = splat(b, op.reverse ? static_cast<double>(extent - 1) : 0, positions);
  const Value set_at = select(b, changed, b.add(Iota{positions, op.axis}), start);
  const CumulativeReduce latest{op.reverse ? ReduceKind::min : ReduceKind::max, op.axis, op.reverse,
                                index_type};
  const Axes along{op.axis};
  const Value rows = to_rows(b, upstream, along);
  const Value sources = to_rows(b, b.add(latest, {set_at}), along);
  Shape index_shape = b.type(rows).shape;
  index_shape.push_back(1);
  const Value routed = b.add(Scatter{ScatterKind::add, {1}, 1},
                             {zeros_like(b, rows), reshape(b, sources, index_shape), rows});
  return from_rows(b, routed, type.shape, along);
}

}  // namespace

Gradients gradient(const CumulativeReduce& op, const GradientInputs& in) {
  Builder& b = in.builder;
  const Value x = in.operands[0];
  const TensorType type = b.type(x);
  if (!in.upstream[0] || !is_float(type.dtype)) return no_gradients(in);
  if (element_count(type.shape) == 0) return {zeros_like(b, x)};
  const Value upstream = *in.upstream[0];
  if (op.kind == ReduceKind::product) return {cumulative_product_gradient(op, b, x, upstream)};
  if (op.kind != ReduceKind::sum)
    return {cumulative_extreme_gradient(op, b, in.results[0], upstream)};
  CumulativeReduce back = op;
  back.reverse = !op.reverse;
  return {b.add(back, {upstream})};
}

}  // namespace tenon::ir

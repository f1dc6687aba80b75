#include "tenon/ir/ops/composite_build.h"

namespace tenon::ir {
namespace {

// x [..., N] with at least one feature.
void check_features(std::string_view op, const TensorType& x) {
  require_float(op, "x", x);
  require(x.rank() >= 1 && x.shape.back() >= 1,
          "{}: x needs a last axis of at least one feature, got {}", op, x);
}

TensorType feature_type(const TensorType& x) { return {x.dtype, {x.shape.back()}}; }

// One per row of x, in the type that the computation uses.
TensorType row_type(const TensorType& x) {
  TensorType type{accumulation_type(x.dtype), x.shape};
  type.shape.pop_back();
  return type;
}

// Rows and features stretched to the shape of x.
struct Stretch {
  Builder& b;
  TensorType x;
  Axes last() const { return {x.rank() - 1}; }
  Value row(Value v) const { return broadcast_along(b, v, x.shape, last()); }
  Value feature(Value v) const { return broadcast(b, v, x.shape, last()); }
  Value mean(Value v) const {
    const Value sum = reduce_sum(b, v, last());
    return divide(b, sum, splat(b, static_cast<double>(x.shape.back()), b.type(sum)));
  }
};

}  // namespace

Graph definition(const LayerNorm& op, OperandTypes types) {
  require_operands(op.kName, types, 3);
  check_features(op.kName, types[0]);
  require_type(op.kName, "scale", types[1], feature_type(types[0]));
  require_type(op.kName, "offset", types[2], feature_type(types[0]));
  Builder b;
  const Stretch to{b, types[0]};
  const Value x = widened(b, data_input(b, "x", types[0]));
  const Value scale = widened(b, data_input(b, "scale", types[1]));
  const Value offset = widened(b, data_input(b, "offset", types[2]));
  const Value mean = to.mean(x);
  const Value centered = subtract(b, x, to.row(mean));
  const Value variance = to.mean(multiply(b, centered, centered));
  const Value rstd = rsqrt(b, add(b, variance, splat(b, op.epsilon, b.type(variance))));
  const Value normalized = multiply(b, centered, to.row(rstd));
  const Value y = add(b, multiply(b, normalized, to.feature(scale)), to.feature(offset));
  const Value result = cast(b, y, types[0].dtype);
  return std::move(b).finish({result, mean, rstd});
}

// Through LayerNormGradient; what flows into the residuals mean and rstd (second derivatives) is
// d mean / dx = 1 / N and d rstd / dx = -rstd^3 (x - mean) / N.
Gradients gradient(const LayerNorm&, const GradientInputs& in) {
  Builder& b = in.builder;
  const TensorType type = b.type(in.operands[0]);
  const Stretch to{b, type};
  const double features = static_cast<double>(type.shape.back());
  const Value mean = in.results[1];
  const Value rstd = in.results[2];
  Gradients all(3);
  const auto accumulate = [&](Value dx) {
    dx = cast(b, dx, type.dtype);
    all[0] = all[0] ? add(b, *all[0], dx) : dx;
  };
  if (in.upstream[0]) {
    const Value first =
        b.add(LayerNormGradient{}, {in.operands[0], in.operands[1], mean, rstd, *in.upstream[0]});
    all = {Value{first.node, 0}, Value{first.node, 1}, Value{first.node, 2}};
  }
  if (in.upstream[1]) accumulate(to.row(scale(b, *in.upstream[1], 1 / features)));
  if (in.upstream[2]) {
    const Value cube = multiply(b, rstd, multiply(b, rstd, rstd));
    const Value factor = scale(b, multiply(b, *in.upstream[2], cube), -1 / features);
    const Value centered = subtract(b, widened(b, in.operands[0]), to.row(mean));
    accumulate(multiply(b, centered, to.row(factor)));
  }
  return all;
}

// With n = (x - mean) * rstd and s = g * scale:
// dx = rstd * (s - mean(s) - n * mean(s * n)), d scale = sum(g * n), d offset = sum(g).
Graph definition(const LayerNormGradient& op, OperandTypes types) {
  require_operands(op.kName, types, 5);
  check_features(op.kName, types[0]);
  require_type(op.kName, "scale", types[1], feature_type(types[0]));
  require_type(op.kName, "mean", types[2], row_type(types[0]));
  require_type(op.kName, "rstd", types[3], row_type(types[0]));
  require_type(op.kName, "upstream", types[4], types[0]);
  Builder b;
  const Stretch to{b, types[0]};
  const Value x = widened(b, data_input(b, "x", types[0]));
  const Value scale = widened(b, data_input(b, "scale", types[1]));
  const Value mean = data_input(b, "mean", types[2]);
  const Value rstd = data_input(b, "rstd", types[3]);
  const Value g = widened(b, data_input(b, "upstream", types[4]));
  const Value normalized = multiply(b, subtract(b, x, to.row(mean)), to.row(rstd));
  const Value scaled = multiply(b, g, to.feature(scale));
  const Value along = multiply(b, normalized, to.row(to.mean(multiply(b, scaled, normalized))));
  const Value centered = subtract(b, subtract(b, scaled, to.row(to.mean(scaled))), along);
  const Value dx = multiply(b, to.row(rstd), centered);
  Axes rows;
  for (std::int64_t i = 0; i + 1 < types[0].rank(); ++i) rows.push_back(i);
  const Value dscale = reduce_sum(b, multiply(b, g, normalized), rows);
  const Value doffset = reduce_sum(b, g, rows);
  std::vector<Value> results;
  for (const Value v : {dx, dscale, doffset}) results.push_back(cast(b, v, types[0].dtype));
  return std::move(b).finish(results);
}

Graph definition(const RmsNorm& op, OperandTypes types) {
  require_operands(op.kName, types, 2);
  check_features(op.kName, types[0]);
  require_type(op.kName, "scale", types[1], feature_type(types[0]));
  Builder b;
  const Stretch to{b, types[0]};
  const Value x = widened(b, data_input(b, "x", types[0]));
  const Value scale = widened(b, data_input(b, "scale", types[1]));
  const Value square = to.mean(multiply(b, x, x));
  const Value rms = rsqrt(b, add(b, square, splat(b, op.epsilon, b.type(square))));
  const Value y = multiply(b, multiply(b, x, to.row(rms)), to.feature(scale));
  const Value result = cast(b, y, types[0].dtype);
  return std::move(b).finish({result});
}

}  // namespace tenon::ir

#include "tenon/tensor/reduce.h"

#include <limits>
#include <numeric>

#include "tenon/tensor/build.h"
#include "tenon/tensor/derivative.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/shape.h"

namespace tenon {
namespace {

Axes reduction_axes(const Tensor& x, const Axes& axes, std::string_view what) {
  Axes result;
  if (axes.empty()) {
    result.resize(static_cast<std::size_t>(x.rank()));
    std::iota(result.begin(), result.end(), 0);
    return result;
  }
  for (const std::int64_t axis : axes) result.push_back(normalize_axis(axis, x.rank(), what));
  std::ranges::sort(result);
  require(std::ranges::adjacent_find(result) == result.end(), "{}: an axis is named twice in {}",
          what, tenon::to_string(axes));
  return result;
}

Tensor with_axes_kept(const Tensor& reduced, const Tensor& x, const Axes& axes) {
  Shape shape = x.shape();
  for (const std::int64_t axis : axes) shape[static_cast<std::size_t>(axis)] = 1;
  return reshape(reduced, shape);
}

Tensor reduce_as(ir::ReduceKind kind, const Tensor& x, const Axes& axes, bool keep_axes,
                 std::string_view what) {
  const Axes chosen = reduction_axes(x, axes, what);
  const bool wide = kind == ir::ReduceKind::sum || kind == ir::ReduceKind::product;
  const DType accumulate = wide ? ir::accumulation_type(x.dtype()) : x.dtype();
  const Tensor result = chosen.empty() ? x : apply_op(ir::Reduce{kind, chosen, accumulate}, {x});
  return keep_axes ? with_axes_kept(result, x, chosen) : result;
}

Tensor countable(const Tensor& x) { return is_boolean(x.dtype()) ? cast(x, DType::i32) : x; }

// The gradient at 0 is 0: a vector of zeros has no direction.
Tensor root_value(const Tensor& x) { return sqrt(x); }
Tensor root_derivative(const Tensor& x) {
  const Tensor is_zero = x == 0.0f;
  return where(is_zero, Tensor(0.0f), 0.5f * rsqrt(where(is_zero, Tensor(1.0f), x)));
}
Tensor root(const Tensor& x) { return with_derivative(x, root_value, root_derivative); }

Tensor truth_value(const Tensor& x) { return is_boolean(x.dtype()) ? x : not_equal(x, Tensor(0)); }

double reduced_count(const Tensor& x, const Axes& axes, std::string_view what) {
  double count = 1;
  for (const std::int64_t axis : reduction_axes(x, axes, what))
    count *= static_cast<double>(x.shape()[static_cast<std::size_t>(axis)]);
  return count;
}

Tensor arg_reduce(ir::ReduceKind kind, const Tensor& x, std::optional<std::int64_t> axis,
                  bool keep_axis, std::string_view what) {
  const Tensor source = axis ? x : reshape(x, {-1});
  const std::int64_t chosen = axis ? normalize_axis(*axis, x.rank(), what) : 0;
  const Tensor result = apply_op_all(ir::Reduce{kind, {chosen}, source.dtype()}, {source})[1];
  if (!keep_axis) return result;
  return axis ? with_axes_kept(result, x, {chosen}) : reshape(result, Shape(x.shape().size(), 1));
}

Tensor cumulative(ir::ReduceKind kind, const Tensor& x, std::int64_t axis, bool reverse,
                  std::string_view what) {
  const bool wide = kind == ir::ReduceKind::sum || kind == ir::ReduceKind::product;
  return apply_op(ir::CumulativeReduce{kind, normalize_axis(axis, x.rank(), what), reverse,
                                       wide ? ir::accumulation_type(x.dtype()) : x.dtype()},
                  {x});
}

}  // namespace

Tensor sum(const Tensor& x, Axes axes, bool keep_axes) {
  return reduce_as(ir::ReduceKind::sum, countable(x), axes, keep_axes, "sum");
}
Tensor mean(const Tensor& x, Axes axes, bool keep_axes) {
  const Tensor r = as_real(x);
  return sum(r, axes, keep_axes) / reduced_count(x, axes, "mean");
}
Tensor prod(const Tensor& x, Axes axes, bool keep_axes) {
  return reduce_as(ir::ReduceKind::product, countable(x), axes, keep_axes, "prod");
}
Tensor max(const Tensor& x, Axes axes, bool keep_axes) {
  return reduce_as(ir::ReduceKind::max, x, axes, keep_axes, "max");
}
Tensor min(const Tensor& x, Axes axes, bool keep_axes) {
  return reduce_as(ir::ReduceKind::min, x, axes, keep_axes, "min");
}
Tensor all(const Tensor& x, Axes axes, bool keep_axes) {
  return reduce_as(ir::ReduceKind::all, truth_value(x), axes, keep_axes, "all");
}
Tensor any(const Tensor& x, Axes axes, bool keep_axes) {
  return reduce_as(ir::ReduceKind::any, truth_value(x), axes, keep_axes, "any");
}
Tensor count_nonzero(const Tensor& x, Axes axes, bool keep_axes) {
  return sum(truth_value(x), std::move(axes), keep_axes);
}
Tensor variance(const Tensor& x, Axes axes, bool keep_axes, double correction) {
  const Tensor r = as_real(x);
  const Tensor centered = r - mean(r, axes, true);
  return sum(centered * centered, axes, keep_axes) /
         (reduced_count(x, axes, "variance") - correction);
}
Tensor stddev(const Tensor& x, Axes axes, bool keep_axes, double correction) {
  return root(variance(x, std::move(axes), keep_axes, correction));
}
Tensor logsumexp(const Tensor& x, Axes axes, bool keep_axes) {
  const Tensor r = as_real(x);
  const Tensor peak = max(r, axes, true);
  // An infinite maximum must not turn into infinity - infinity.
  const Tensor shift = stop_gradient(where(is_finite(peak), peak, Tensor(0.0f)));
  const Tensor result = log(sum(exp(r - shift), axes, true)) + shift;
  return keep_axes ? result : reshape(result, sum(r, axes).shape());
}
Tensor norm(const Tensor& x, double p, Axes axes, bool keep_axes) {
  require(p > 0, "norm: p must be above 0, got {}", p);
  const Tensor r = as_real(x);
  if (p == 1) return sum(abs(r), axes, keep_axes);
  if (p == 2) return root(sum(r * r, axes, keep_axes));
  if (p == std::numeric_limits<double>::infinity()) return max(abs(r), axes, keep_axes);
  // Zeros stay out of the powers, whose derivatives are infinite there.
  const Tensor zero_in = r == 0.0f;
  const Tensor terms = where(zero_in, Tensor(0.0f), power(where(zero_in, Tensor(1.0f), abs(r)), p));
  const Tensor total = sum(terms, axes, keep_axes), zero_out = total == 0.0f;
  return where(zero_out, Tensor(0.0f), power(where(zero_out, Tensor(1.0f), total), 1 / p));
}
Tensor argmax(const Tensor& x, std::optional<std::int64_t> axis, bool keep_axis) {
  return arg_reduce(ir::ReduceKind::argmax, x, axis, keep_axis, "argmax");
}
Tensor argmin(const Tensor& x, std::optional<std::int64_t> axis, bool keep_axis) {
  return arg_reduce(ir::ReduceKind::argmin, x, axis, keep_axis, "argmin");
}

Tensor cumsum(const Tensor& x, std::int64_t axis, bool reverse) {
  return cumulative(ir::ReduceKind::sum, countable(x), axis, reverse, "cumsum");
}
Tensor cumprod(const Tensor& x, std::int64_t axis, bool reverse) {
  return cumulative(ir::ReduceKind::product, countable(x), axis, reverse, "cumprod");
}
Tensor cummax(const Tensor& x, std::int64_t axis, bool reverse) {
  return cumulative(ir::ReduceKind::max, x, axis, reverse, "cummax");
}
Tensor cummin(const Tensor& x, std::int64_t axis, bool reverse) {
  return cumulative(ir::ReduceKind::min, x, axis, reverse, "cummin");
}

Tensor softmax(const Tensor& x, std::int64_t axis) {
  return apply_op(ir::Softmax{normalize_axis(axis, x.rank(), "softmax")}, {as_real(x)});
}
Tensor log_softmax(const Tensor& x, std::int64_t axis) {
  return apply_op(ir::LogSoftmax{normalize_axis(axis, x.rank(), "log_softmax")}, {as_real(x)});
}

}  // namespace tenon

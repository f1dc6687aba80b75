#include "tenon/tensor/elementwise.h"

#include <numbers>

#include "tenon/tensor/build.h"
#include "tenon/tensor/derivative.h"
#include "tenon/tensor/promotion.h"

namespace tenon {
namespace {

using F = ScalarFunction;

Tensor scalar_call(F f, std::initializer_list<Tensor> operands) {
  return apply_op(ir::Elementwise{f}, operands);
}

// A weak scalar stays weak, so that 2 * -1.0 with a tensor keeps the tensor's type.
Tensor unary(F f, const Tensor& x) {
  const Tensor result = scalar_call(f, {x});
  return Tensor(result.trace(), result.ir_value(), x.is_weak());
}

Tensor real_unary(F f, const Tensor& x) { return unary(f, as_real(x)); }

Tensor binary(F f, const Tensor& x, const Tensor& y) {
  const std::vector<Tensor> operands = promote_and_broadcast(std::array{x, y}, info(f).name);
  require(accepts(f, operands[0].dtype()), "{} does not take {} (operands {} and {})", info(f).name,
          operands[0].dtype(), x.type(), y.type());
  const Tensor result = apply_op(ir::Elementwise{f}, operands);
  return Tensor(result.trace(), result.ir_value(), x.is_weak() && y.is_weak());
}

Tensor real_binary(F f, const Tensor& x, const Tensor& y) {
  const std::vector<Tensor> operands = promote_and_broadcast(std::array{x, y}, info(f).name);
  return binary(f, as_real(operands[0]), as_real(operands[1]));
}

// bool counts as an integer in sums, as in NumPy's promotion of True + True.
Tensor arithmetic(F f, const Tensor& x, const Tensor& y) {
  if (is_boolean(x.dtype()) && is_boolean(y.dtype()))
    return binary(f, cast(x, DType::i32), cast(y, DType::i32));
  return binary(f, x, y);
}

Tensor truth(const Tensor& x) { return is_boolean(x.dtype()) ? x : not_equal(x, Tensor(0)); }

// Derivatives of GELU as one factor: all that a step keeps of x until the gradient comes back.
Tensor normal_cumulative(const Tensor& x) {
  return 0.5f * (1.0f + erf(x * (1 / std::numbers::sqrt2)));
}
Tensor gelu_value(const Tensor& x) { return x * normal_cumulative(x); }
Tensor gelu_derivative(const Tensor& x) {
  const double scale = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  return normal_cumulative(x) + x * (scale * exp(-0.5f * (x * x)));
}

constexpr double kGeluScale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
constexpr double kGeluCubic = 0.044715 * kGeluScale;
// Behind these bounds tanh is 1 in every type. What is multiplied with 1 - tanh^2 must not be
// infinite, nor must a square be on the way to a second derivative: 0 * infinity is no number.
constexpr float kGeluBound = 10;
Tensor within_gelu_bounds(const Tensor& x) { return minimum(maximum(x, -kGeluBound), kGeluBound); }
// Of numbers within the bounds.
Tensor gelu_tangent(const Tensor& x) { return tanh(x * (kGeluScale + kGeluCubic * (x * x))); }
Tensor gelu_tanh_value(const Tensor& x) {
  return 0.5f * x * (1.0f + gelu_tangent(within_gelu_bounds(x)));
}
Tensor gelu_tanh_derivative(const Tensor& x) {
  const Tensor bounded = within_gelu_bounds(x);
  const Tensor t = gelu_tangent(bounded);
  const Tensor slope = kGeluScale + 3 * kGeluCubic * (bounded * bounded);
  return 0.5f * (1.0f + t) + 0.5f * bounded * ((1.0f - t * t) * slope);
}

}  // namespace

Tensor as_real(const Tensor& x) {
  if (is_float(x.dtype())) return x;
  const Tensor result = cast(x, DType::f32);
  return Tensor(result.trace(), result.ir_value(), x.is_weak());
}

Tensor negative(const Tensor& x) { return unary(F::negate, x); }
Tensor abs(const Tensor& x) { return is_unsigned(x.dtype()) ? x : unary(F::abs, x); }
Tensor sign(const Tensor& x) { return unary(F::sign, x); }
Tensor floor(const Tensor& x) { return is_float(x.dtype()) ? unary(F::floor, x) : x; }
Tensor ceil(const Tensor& x) { return is_float(x.dtype()) ? unary(F::ceil, x) : x; }
Tensor round(const Tensor& x) { return is_float(x.dtype()) ? unary(F::round_nearest_even, x) : x; }
Tensor trunc(const Tensor& x) {
  return is_float(x.dtype()) ? where(x < 0.0f, ceil(x), floor(x)) : x;
}
Tensor exp(const Tensor& x) { return real_unary(F::exp, x); }
Tensor expm1(const Tensor& x) { return real_unary(F::expm1, x); }
Tensor exp2(const Tensor& x) { return power(2.0f, as_real(x)); }
Tensor log(const Tensor& x) { return real_unary(F::log, x); }
Tensor log1p(const Tensor& x) { return real_unary(F::log1p, x); }
Tensor sqrt(const Tensor& x) { return real_unary(F::sqrt, x); }
Tensor rsqrt(const Tensor& x) { return real_unary(F::rsqrt, x); }
Tensor cbrt(const Tensor& x) { return real_unary(F::cbrt, x); }
Tensor square(const Tensor& x) { return x * x; }
Tensor reciprocal(const Tensor& x) { return 1.0f / as_real(x); }
Tensor sin(const Tensor& x) { return real_unary(F::sin, x); }
Tensor cos(const Tensor& x) { return real_unary(F::cos, x); }
Tensor tan(const Tensor& x) { return real_unary(F::tan, x); }
Tensor tanh(const Tensor& x) { return real_unary(F::tanh, x); }
Tensor erf(const Tensor& x) { return real_unary(F::erf, x); }
Tensor degrees(const Tensor& x) { return as_real(x) * (180 / std::numbers::pi); }
Tensor radians(const Tensor& x) { return as_real(x) * (std::numbers::pi / 180); }
Tensor is_nan(const Tensor& x) { return not_equal(x, x); }
Tensor is_inf(const Tensor& x) {
  return logical_and(logical_not(is_finite(x)), equal(as_real(x), as_real(x)));
}
Tensor is_finite(const Tensor& x) { return real_unary(F::is_finite, x); }

Tensor relu(const Tensor& x) { return where(x <= 0.0f, Tensor(0), x); }
Tensor relu6(const Tensor& x) { return minimum(relu(x), Tensor(6)); }
Tensor leaky_relu(const Tensor& x, double slope) { return where(x <= 0.0f, x * slope, x); }
Tensor elu(const Tensor& x, double alpha) {
  // The inner where keeps the unused branch finite, so its gradient is not infinity * 0.
  const Tensor r = as_real(x);
  return where(r > 0.0f, r, alpha * expm1(where(r > 0.0f, Tensor(0.0f), r)));
}
Tensor selu(const Tensor& x) {
  constexpr double kAlpha = 1.6732632423543772, kScale = 1.0507009873554805;
  return kScale * elu(x, kAlpha);
}
Tensor gelu(const Tensor& x) { return with_derivative(x, gelu_value, gelu_derivative); }
Tensor gelu_tanh(const Tensor& x) {
  return with_derivative(x, gelu_tanh_value, gelu_tanh_derivative);
}
Tensor silu(const Tensor& x) { return x * sigmoid(x); }
Tensor mish(const Tensor& x) { return x * tanh(softplus(x)); }
Tensor sigmoid(const Tensor& x) { return real_unary(F::logistic, x); }
Tensor log_sigmoid(const Tensor& x) { return -softplus(-x); }
Tensor softplus(const Tensor& x) { return maximum(x, 0.0f) + log1p(exp(-abs(x))); }
Tensor hard_sigmoid(const Tensor& x) { return clip((x + 3.0f) / 6.0f, 0.0f, 1.0f); }
Tensor hard_swish(const Tensor& x) { return x * hard_sigmoid(x); }

Tensor add(const Tensor& x, const Tensor& y) { return arithmetic(F::add, x, y); }
Tensor subtract(const Tensor& x, const Tensor& y) { return arithmetic(F::subtract, x, y); }
Tensor multiply(const Tensor& x, const Tensor& y) { return arithmetic(F::multiply, x, y); }
Tensor divide(const Tensor& x, const Tensor& y) { return real_binary(F::divide, x, y); }
Tensor floor_divide(const Tensor& x, const Tensor& y) {
  const std::vector<Tensor> v = promote_and_broadcast(std::array{x, y}, "floor_divide");
  if (is_float(v[0].dtype())) {
    // As NumPy: from the exact remainder, so that 1.0 // 0.1 is 9 though 1.0 / 0.1 rounds to 10.
    const Tensor rest = binary(F::remainder, v[0], v[1]);
    const Tensor whole = round((v[0] - rest) / v[1]);
    const Tensor below = logical_and(rest != 0.0f, logical_xor(rest < 0.0f, v[1] < 0.0f));
    return where(v[1] == 0.0f, floor(v[0] / v[1]), where(below, whole - 1.0f, whole));
  }
  const Tensor quotient = arithmetic(F::divide, v[0], v[1]);
  if (is_unsigned(quotient.dtype())) return quotient;
  const Tensor rest = arithmetic(F::remainder, v[0], v[1]);
  const Tensor inexact = logical_and(rest != 0, logical_xor(rest < 0, v[1] < 0));
  return where(inexact, quotient - 1, quotient);
}
Tensor remainder(const Tensor& x, const Tensor& y) {
  const std::vector<Tensor> v = promote_and_broadcast(std::array{x, y}, "remainder");
  const Tensor rest = arithmetic(F::remainder, v[0], v[1]);
  if (is_unsigned(rest.dtype())) return rest;
  const Tensor other_sign = logical_and(rest != 0, logical_xor(rest < 0, v[1] < 0));
  return where(other_sign, rest + v[1], rest);
}
Tensor fmod(const Tensor& x, const Tensor& y) { return arithmetic(F::remainder, x, y); }
Tensor power(const Tensor& x, const Tensor& y) { return real_binary(F::power, x, y); }
Tensor minimum(const Tensor& x, const Tensor& y) { return binary(F::minimum, x, y); }
Tensor maximum(const Tensor& x, const Tensor& y) { return binary(F::maximum, x, y); }
Tensor atan2(const Tensor& y, const Tensor& x) { return real_binary(F::atan2, y, x); }
Tensor squared_difference(const Tensor& x, const Tensor& y) { return square(x - y); }
Tensor clip(const Tensor& x, const Tensor& low, const Tensor& high) {
  return minimum(maximum(x, low), high);
}
Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight) {
  return start + weight * (end - start);
}

Tensor equal(const Tensor& x, const Tensor& y) { return binary(F::equal, x, y); }
Tensor not_equal(const Tensor& x, const Tensor& y) { return binary(F::not_equal, x, y); }
Tensor less(const Tensor& x, const Tensor& y) { return binary(F::less, x, y); }
Tensor less_equal(const Tensor& x, const Tensor& y) { return binary(F::less_equal, x, y); }
Tensor greater(const Tensor& x, const Tensor& y) { return binary(F::greater, x, y); }
Tensor greater_equal(const Tensor& x, const Tensor& y) { return binary(F::greater_equal, x, y); }

Tensor logical_not(const Tensor& x) { return unary(F::logical_not, truth(x)); }
Tensor logical_and(const Tensor& x, const Tensor& y) {
  return binary(F::logical_and, truth(x), truth(y));
}
Tensor logical_or(const Tensor& x, const Tensor& y) {
  return binary(F::logical_or, truth(x), truth(y));
}
Tensor logical_xor(const Tensor& x, const Tensor& y) {
  return binary(F::logical_xor, truth(x), truth(y));
}
Tensor bitwise_not(const Tensor& x) { return unary(F::logical_not, x); }
Tensor bitwise_and(const Tensor& x, const Tensor& y) { return binary(F::logical_and, x, y); }
Tensor bitwise_or(const Tensor& x, const Tensor& y) { return binary(F::logical_or, x, y); }
Tensor bitwise_xor(const Tensor& x, const Tensor& y) { return binary(F::logical_xor, x, y); }
Tensor left_shift(const Tensor& x, const Tensor& y) { return binary(F::shift_left, x, y); }
Tensor right_shift(const Tensor& x, const Tensor& y) {
  const DType dtype = promote_types(std::array{x, y}, "right_shift")[0].dtype();
  return binary(is_unsigned(dtype) ? F::shift_right_logical : F::shift_right_arithmetic, x, y);
}

Tensor where(const Tensor& condition, const Tensor& x, const Tensor& y) {
  const std::vector<Tensor> v = promote_and_broadcast(std::array{x, y}, "where");
  const Shape shape = broadcast_shapes(truth(condition).shape(), v[0].shape(), "where");
  const Tensor result =
      apply_op(ir::Select{}, {broadcast_to(truth(condition), shape), broadcast_to(v[0], shape),
                              broadcast_to(v[1], shape)});
  return Tensor(result.trace(), result.ir_value(), v[0].is_weak() && shape.empty());
}
Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype && !x.is_weak()) return x;
  const Tensor result = x.dtype() == dtype ? x : apply_op(ir::Cast{dtype}, {x});
  return Tensor(result.trace(), result.ir_value());
}
Tensor bitcast(const Tensor& x, DType dtype) {
  return x.dtype() == dtype ? x : apply_op(ir::Bitcast{dtype}, {x});
}

Tensor stop_gradient(const Tensor& x) {
  if (!is_float(x.dtype())) return x;
  ir::Builder forward, backward;
  const ir::Value value = forward.input({"x", x.type(), ir::Role::data, {}});
  for (const char* name : {"x", "y", "upstream"})
    backward.input({name, x.type(), ir::Role::data, {}});
  const ir::Value zero = ir::splat(backward, 0, x.type());
  return apply_op(ir::CustomGradient{ir::GraphRef(std::move(forward).finish({value})),
                                     ir::GraphRef(std::move(backward).finish({zero}))},
                  {x});
}

}  // namespace tenon

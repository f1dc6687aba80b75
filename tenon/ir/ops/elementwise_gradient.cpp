// Derivatives of the scalar functions.
#include <numbers>

#include "tenon/ir/build.h"
#include "tenon/ir/ops/elementwise.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {
namespace {

using F = ScalarFunction;

// What one derivative needs: the builder, x and y (operands), r = f(x, y), u = upstream.
struct ScalarChain {
  Builder& b;
  Value x, y, r, u;

  Value number(double value) const { return splat(b, value, b.type(x)); }
  Value times(double factor, Value v) const { return multiply(b, number(factor), v); }
  Value map(F f, Value v) const { return elementwise(b, f, {v}); }
  Value square(Value v) const { return multiply(b, v, v); }
  // a where the comparison of c and d holds, otherwise zero.
  Value where(F comparison, Value c, Value d, Value a) const {
    return select(b, compare(b, comparison, c, d), a, number(0));
  }

  // d min or max: all to the operand that wins, half to each at a tie, nothing at NaN (as in JAX).
  Gradients extreme(F wins) const {
    const Value half = where(F::equal, x, y, times(0.5, u));
    return {select(b, compare(b, wins, x, y), u, half), select(b, compare(b, wins, y, x), u, half)};
  }

  // r = x - q y with the truncated quotient q, which is constant almost everywhere. x - r is a
  // multiple of y, so rounding recovers q even where x / y rounds across a whole number.
  Gradients remainder_gradient() const {
    const Value quotient = map(F::round_nearest_even, divide(b, subtract(b, x, r), y));
    return {u, negate(b, multiply(b, u, quotient))};
  }

  // The gradient computed in f32 and rounded once, where f16 or bf16 would lose range or parity.
  Gradients in_f32(Gradients (ScalarChain::*gradient)() const) const {
    const DType dtype = b.type(x).dtype;
    const auto widen = [&](Value v) { return cast(b, v, DType::f32); };
    const ScalarChain wide{b, widen(x), widen(y), widen(r), widen(u)};
    const Gradients found = (wide.*gradient)();
    return {cast(b, *found[0], dtype), cast(b, *found[1], dtype)};
  }

  // d r / dx = y / (x^2 + y^2) and d r / dy = -x / (x^2 + y^2) of r = atan2(x, y), 0 at the origin.
  // Scaled by powers of two so that the squares stay in range; f16 and bf16 in f32.
  Gradients atan2_gradient() const {
    const DType dtype = b.type(x).dtype;
    if (is_narrow_float(dtype)) return in_f32(&ScalarChain::atan2_gradient);
    const bool is_f64 = dtype == DType::f64;
    const double limit = is_f64 ? 0x1p511 : 0x1p63, factor = is_f64 ? 0x1p768 : 0x1p96;
    const Value larger = elementwise(b, F::maximum, {map(F::abs, x), map(F::abs, y)});
    const Value up =
        select(b, compare(b, F::less, larger, number(1 / limit)), number(factor), number(1));
    const Value scale =
        select(b, compare(b, F::greater, larger, number(limit)), number(1 / factor), up);
    const Value p = multiply(b, x, scale), q = multiply(b, y, scale);
    const Value sum = add(b, square(p), square(q));
    const Value divisor = select(b, compare(b, F::equal, sum, number(0)), number(1), sum);
    const Value scaled = multiply(b, u, scale);
    return {multiply(b, scaled, divide(b, q, divisor)),
            negate(b, multiply(b, scaled, divide(b, p, divisor)))};
  }

  // d x^p / dx = p x^(p - 1), taken as 0 at p = 0; d x^p / dp = x^p log x where x > 0, otherwise 0.
  Gradients power_gradient() const {
    if (is_narrow_float(b.type(x).dtype)) return in_f32(&ScalarChain::power_gradient);
    const Value zero = number(0);
    const Value one = number(1);
    // 1 / x overflows for subnormal x, and p = 0 times that would be NaN; so is p = 0 times NaN.
    const Value is_ordinary = compare(b, F::greater_equal, map(F::abs, x),
                                      number(b.type(x).dtype == DType::f64 ? 0x1p-1022 : 0x1p-126));
    const Value is_tiny = elementwise(b, F::logical_not, {is_ordinary});
    const Value zero_to_zero =
        elementwise(b, F::logical_and, {is_tiny, compare(b, F::equal, y, zero)});
    const Value base = select(b, zero_to_zero, one, x);
    const Value slope = multiply(b, y, elementwise(b, F::power, {base, subtract(b, y, one)}));
    const Value positive = compare(b, F::greater, x, zero);
    const Value logarithm = log(b, select(b, positive, x, one));
    const Value in_exponent = select(b, positive, multiply(b, r, logarithm), zero);
    return {multiply(b, u, slope), multiply(b, u, in_exponent)};
  }
};

}  // namespace

Gradients gradient(const Elementwise& op, const GradientInputs& in) {
  Builder& b = in.builder;
  if (!in.upstream[0] || !is_float(b.type(in.operands[0]).dtype)) return no_gradients(in);
  const Value x = in.operands.front();
  const Value y = in.operands.back();
  const Value r = in.results[0];
  const Value u = *in.upstream[0];
  const ScalarChain c{b, x, y, r, u};
  switch (op.function) {
    case F::negate: return {negate(b, u)};
    case F::abs: return {multiply(b, u, c.map(F::sign, x))};
    case F::exp: return {multiply(b, u, r)};
    case F::expm1: return {multiply(b, u, exp(b, x))};
    case F::log: return {divide(b, u, x)};
    case F::log1p: return {divide(b, u, add(b, x, c.number(1)))};
    case F::sqrt: return {divide(b, c.times(0.5, u), r)};
    case F::rsqrt: return {multiply(b, c.times(-0.5, u), divide(b, r, x))};
    case F::cbrt: return {divide(b, u, c.times(3, c.square(r)))};
    case F::sin: return {multiply(b, u, c.map(F::cos, x))};
    case F::cos: return {negate(b, multiply(b, u, c.map(F::sin, x)))};
    case F::tan: return {multiply(b, u, add(b, c.number(1), c.square(r)))};
    case F::tanh: return {multiply(b, u, subtract(b, c.number(1), c.square(r)))};
    case F::logistic: return {multiply(b, u, multiply(b, r, subtract(b, c.number(1), r)))};
    case F::erf:
      return {
          multiply(b, c.times(2 * std::numbers::inv_sqrtpi, u), exp(b, negate(b, c.square(x))))};
    case F::add: return {u, u};
    case F::subtract: return {u, negate(b, u)};
    case F::multiply: return {multiply(b, u, y), multiply(b, u, x)};
    case F::divide: return {divide(b, u, y), negate(b, divide(b, multiply(b, u, r), y))};
    case F::remainder: return c.remainder_gradient();
    case F::power: return c.power_gradient();
    case F::atan2: return c.atan2_gradient();
    case F::minimum: return c.extreme(F::less);
    case F::maximum: return c.extreme(F::greater);
    case F::sign:  // constant almost everywhere, down to shift_right_arithmetic not of floats
    case F::floor:
    case F::ceil:
    case F::round_nearest_even:
    case F::is_finite:
    case F::equal:
    case F::not_equal:
    case F::less:
    case F::less_equal:
    case F::greater:
    case F::greater_equal:
    case F::logical_not:
    case F::population_count:
    case F::logical_and:
    case F::logical_or:
    case F::logical_xor:
    case F::shift_left:
    case F::shift_right_logical:
    case F::shift_right_arithmetic: break;
  }
  return no_gradients(in);
}

}  // namespace tenon::ir

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

  // d x^p / dx = p x^(p - 1), taken as 0 at 0^0; d x^p / dp = x^p log x where x > 0, otherwise 0.
  Gradients power_gradient() const {
    const Value zero = number(0);
    const Value one = number(1);
    const Value zero_to_zero = elementwise(
        b, F::logical_and, {compare(b, F::equal, x, zero), compare(b, F::equal, y, zero)});
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
    case F::atan2: {
      const Value scaled = divide(b, u, add(b, c.square(x), c.square(y)));
      return {multiply(b, scaled, y), negate(b, multiply(b, scaled, x))};
    }
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

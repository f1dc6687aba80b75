#include "tenon/base/scalar_evaluate.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace tenon {
namespace {

bool not_a_function_of(ScalarFunction f, std::string_view kind) {
  check(false, "{} evaluated on {}", info(f).name, kind);
  return false;
}

// Comparisons; everything else is an error.
template <class T>
bool evaluate_comparison(ScalarFunction f, T x, T y) {
  using enum ScalarFunction;
  switch (f) {
    case equal: return x == y;
    case not_equal: return x != y;
    case less: return x < y;
    case less_equal: return x <= y;
    case greater: return x > y;
    case greater_equal: return x >= y;
    case negate:
    case abs:
    case sign:
    case floor:
    case ceil:
    case round_nearest_even:
    case exp:
    case expm1:
    case log:
    case log1p:
    case sqrt:
    case rsqrt:
    case cbrt:
    case sin:
    case cos:
    case tan:
    case tanh:
    case logistic:
    case erf:
    case is_finite:
    case logical_not:
    case population_count:
    case add:
    case subtract:
    case multiply:
    case divide:
    case remainder:
    case power:
    case atan2:
    case minimum:
    case maximum:
    case logical_and:
    case logical_or:
    case logical_xor:
    case shift_left:
    case shift_right_logical:
    case shift_right_arithmetic: break;
  }
  return not_a_function_of(f, "a comparison");
}

// e^x / (1 + e^x) for negative x, so that neither branch overflows.
double logistic_of(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double power = std::exp(x);
  return power / (1 + power);
}

// NaN if either is NaN; -0 is below +0.
template <class T>
T minimum_of(T x, T y) {
  if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<T>::quiet_NaN();
  if (x == y) return std::signbit(x) ? x : y;
  return x < y ? x : y;
}

template <class T>
T sign_of(T x) {
  if (x > 0) return 1;
  return x < 0 ? T{-1} : x;  // keeps NaN and both zeros
}

// T is float or double.
template <class T>
T evaluate_floating(ScalarFunction f, T x, T y) {
  const double wide = x;
  using enum ScalarFunction;
  switch (f) {
    case negate: return -x;
    case abs: return std::abs(x);
    case sign: return sign_of(x);
    case floor: return std::floor(x);
    case ceil: return std::ceil(x);
    case round_nearest_even: return std::nearbyint(x);
    case exp: return static_cast<T>(std::exp(wide));
    case expm1: return static_cast<T>(std::expm1(wide));
    case log: return static_cast<T>(std::log(wide));
    case log1p: return static_cast<T>(std::log1p(wide));
    case sqrt: return std::sqrt(x);
    case rsqrt: return static_cast<T>(1 / std::sqrt(wide));
    case cbrt: return static_cast<T>(std::cbrt(wide));
    case sin: return static_cast<T>(std::sin(wide));
    case cos: return static_cast<T>(std::cos(wide));
    case tan: return static_cast<T>(std::tan(wide));
    case tanh: return static_cast<T>(std::tanh(wide));
    case logistic: return static_cast<T>(logistic_of(wide));
    case erf: return static_cast<T>(std::erf(wide));
    case add: return x + y;
    case subtract: return x - y;
    case multiply: return x * y;
    case divide: return x / y;
    case remainder: return std::fmod(x, y);
    case power: return static_cast<T>(std::pow(wide, static_cast<double>(y)));
    case atan2: return static_cast<T>(std::atan2(wide, static_cast<double>(y)));
    case minimum: return minimum_of(x, y);
    case maximum: return -minimum_of(-x, -y);
    case is_finite:
    case equal:
    case not_equal:
    case less:
    case less_equal:
    case greater:
    case greater_equal:
    case logical_not:
    case population_count:
    case logical_and:
    case logical_or:
    case logical_xor:
    case shift_left:
    case shift_right_logical:
    case shift_right_arithmetic: break;
  }
  return not_a_function_of(f, "floats");
}

// x / 0 is all ones and the lowest value / -1 is itself.
template <class T>
T quotient_of(T x, T y) {
  if (y == 0) return static_cast<T>(~T{0});
  if constexpr (std::is_signed_v<T>)
    if (y == -1) return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  return static_cast<T>(x / y);
}

// x rem 0 is x; the sign is that of x.
template <class T>
T remainder_of(T x, T y) {
  if (y == 0) return x;
  if constexpr (std::is_signed_v<T>)
    if (y == -1) return 0;
  return static_cast<T>(x % y);
}

// T is an integer type; arithmetic wraps.
template <class T>
T evaluate_integer(ScalarFunction f, T x, T y) {
  using Unsigned = std::make_unsigned_t<T>;
  using Signed = std::make_signed_t<T>;
  const auto a = static_cast<Unsigned>(x);
  const auto b = static_cast<Unsigned>(y);
  constexpr auto kBits = static_cast<Unsigned>(std::numeric_limits<Unsigned>::digits);
  using enum ScalarFunction;
  switch (f) {
    case negate: return static_cast<T>(0 - a);
    case abs: return x < T{0} ? static_cast<T>(0 - a) : x;
    case sign: return static_cast<T>((x > T{0}) - (x < T{0}));
    case logical_not: return static_cast<T>(~a);
    case population_count: return static_cast<T>(std::popcount(a));
    case add: return static_cast<T>(a + b);
    case subtract: return static_cast<T>(a - b);
    case multiply: return static_cast<T>(a * b);
    case divide: return quotient_of(x, y);
    case remainder: return remainder_of(x, y);
    case minimum: return x < y ? x : y;
    case maximum: return x < y ? y : x;
    case logical_and: return static_cast<T>(a & b);
    case logical_or: return static_cast<T>(a | b);
    case logical_xor: return static_cast<T>(a ^ b);
    case shift_left: return b < kBits ? static_cast<T>(a << b) : T{0};
    case shift_right_logical: return b < kBits ? static_cast<T>(a >> b) : T{0};
    case shift_right_arithmetic:
      return static_cast<T>(static_cast<Signed>(x) >> (b < kBits ? b : kBits - 1));
    case floor:
    case ceil:
    case round_nearest_even:
    case exp:
    case expm1:
    case log:
    case log1p:
    case sqrt:
    case rsqrt:
    case cbrt:
    case sin:
    case cos:
    case tan:
    case tanh:
    case logistic:
    case erf:
    case is_finite:
    case power:
    case atan2:
    case equal:
    case not_equal:
    case less:
    case less_equal:
    case greater:
    case greater_equal: break;
  }
  return static_cast<T>(not_a_function_of(f, "integers"));
}

bool evaluate_boolean(ScalarFunction f, bool x, bool y) {
  using enum ScalarFunction;
  switch (f) {
    case logical_not: return !x;
    case minimum:
    case logical_and: return x && y;
    case maximum:
    case logical_or: return x || y;
    case logical_xor: return x != y;
    case negate:
    case abs:
    case sign:
    case floor:
    case ceil:
    case round_nearest_even:
    case exp:
    case expm1:
    case log:
    case log1p:
    case sqrt:
    case rsqrt:
    case cbrt:
    case sin:
    case cos:
    case tan:
    case tanh:
    case logistic:
    case erf:
    case is_finite:
    case population_count:
    case add:
    case subtract:
    case multiply:
    case divide:
    case remainder:
    case power:
    case atan2:
    case shift_left:
    case shift_right_logical:
    case shift_right_arithmetic:
    case equal:
    case not_equal:
    case less:
    case less_equal:
    case greater:
    case greater_equal: break;
  }
  return not_a_function_of(f, "bool");
}

// The function with a result of the operands' type.
template <Element T>
T evaluate_same(ScalarFunction f, T x, T y) {
  if constexpr (std::is_same_v<T, bool>) {
    return evaluate_boolean(f, x, y);
  } else if constexpr (std::is_integral_v<T>) {
    return evaluate_integer(f, x, y);
  } else if constexpr (std::is_floating_point_v<T>) {
    return evaluate_floating(f, x, y);
  } else {
    return T(evaluate_floating(f, static_cast<float>(x), static_cast<float>(y)));
  }
}

// The function with a bool result.
template <Element T>
bool evaluate_predicate(ScalarFunction f, T x, T y) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
    return evaluate_predicate(f, static_cast<float>(x), static_cast<float>(y));
  } else {
    if constexpr (std::is_floating_point_v<T>)
      if (f == ScalarFunction::is_finite) return std::isfinite(x);
    return evaluate_comparison(f, x, y);
  }
}

}  // namespace

HostTensor evaluate_scalar_function(ScalarFunction f, std::span<const HostTensor* const> operands) {
  check(static_cast<int>(operands.size()) == info(f).arity, "{} evaluated on {} operands",
        info(f).name, operands.size());
  const HostTensor& first = *operands.front();
  const HostTensor& second = *operands.back();
  check(first.type() == second.type() && accepts(f, first.dtype()), "{} evaluated on {} and {}",
        info(f).name, first.type(), second.type());
  HostTensor result({result_type(f, first.dtype()), first.shape()});
  with_element_type(first.dtype(), [&]<class T>(TypeTag<T>) {
    const auto x = first.as<T>();
    const auto y = second.as<T>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (info(f).result == ScalarResult::boolean)
        result.as<bool>()[i] = evaluate_predicate(f, x[i], y[i]);
      else
        result.as<T>()[i] = evaluate_same(f, x[i], y[i]);
    }
  });
  return result;
}

}  // namespace tenon

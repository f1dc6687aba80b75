// Elementwise functions made of others, right over the whole range of their operands: each has its
// derivative written down, because that of the composition is NaN where a part over- or underflows.
#include <array>
#include <limits>
#include <numbers>

#include "tenon/tensor/build.h"
#include "tenon/tensor/control.h"
#include "tenon/tensor/derivative.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/promotion.h"

namespace tenon {
namespace {

constexpr double kLargeExponent = 20;  // e^-20 is nothing beside e^20, in f64 too
constexpr double kLargeNumber = 1e9;   // 1 is nothing beside its square, which is finite in f32

Tensor as_type_of(const Tensor& x, const Tensor& result) {
  const Tensor rounded = cast(result, x.dtype());
  return Tensor(rounded.trace(), rounded.ir_value(), x.is_weak());
}

DType wide_type(DType dtype) { return is_narrow_float(dtype) ? DType::f32 : dtype; }

// e^a / 2 from two factors: a sum with log(1/2) would lose the last bits of a.
Tensor half_exp(const Tensor& a) {
  const Tensor root = exp(0.5 * a);
  return 0.5 * root * root;
}
Tensor without_large(const Tensor& x) { return where(abs(x) > kLargeExponent, Tensor(0.0f), x); }
Tensor sinh_value(const Tensor& x) {
  const Tensor a = abs(x), small = without_large(x), large = half_exp(a);
  return where(a > kLargeExponent, where(x < 0.0, -large, large),
               0.5 * (expm1(small) - expm1(-small)));
}
Tensor cosh_value(const Tensor& x) {
  const Tensor a = abs(x), small = without_large(x);
  return where(a > kLargeExponent, half_exp(a), 0.5 * (exp(small) + exp(-small)));
}

Tensor log_of_double(const Tensor& x) { return log(x) + std::numbers::ln2; }

Tensor asinh_value(const Tensor& x) {
  const Tensor a = abs(x);
  const Tensor near = log1p(a + a * a / (1.0 + sqrt(a * a + 1.0)));
  return sign(x) * where(a > kLargeNumber, log_of_double(a), near);
}
Tensor asinh_derivative(const Tensor& x) {
  const Tensor a = abs(x), is_large = a > kLargeNumber;
  const Tensor small = where(is_large, Tensor(0.0f), x);
  return where(is_large, 1.0 / where(is_large, a, Tensor(1.0f)), rsqrt(1.0 + small * small));
}

// Two roots, because t (t + 2) is positive again below -1.
Tensor acosh_value(const Tensor& x) {
  const Tensor t = x - 1.0;
  return where(x > kLargeNumber, log_of_double(x), log1p(t + sqrt(t) * sqrt(x + 1.0)));
}
Tensor acosh_derivative(const Tensor& x) { return 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)); }

Tensor atanh_value(const Tensor& x) { return 0.5 * (log1p(x) - log1p(-x)); }
Tensor atanh_derivative(const Tensor& x) { return 1.0 / ((1.0 - x) * (1.0 + x)); }

Tensor cosine_of_asin(const Tensor& x) { return sqrt((1.0 - x) * (1.0 + x)); }
Tensor asin_value(const Tensor& x) { return atan2(x, cosine_of_asin(x)); }
Tensor asin_derivative(const Tensor& x) { return 1.0 / cosine_of_asin(x); }
Tensor acos_value(const Tensor& x) { return atan2(cosine_of_asin(x), x); }
Tensor acos_derivative(const Tensor& x) { return -1.0 / cosine_of_asin(x); }
Tensor atan_value(const Tensor& x) { return atan2(x, 1.0); }
Tensor atan_derivative(const Tensor& x) {
  const Tensor is_large = abs(x) > kLargeNumber;
  const Tensor inverse = 1.0 / where(is_large, x, Tensor(1.0f));
  const Tensor small = where(is_large, Tensor(0.0f), x);
  return where(is_large, inverse * inverse, 1.0 / (1.0 + small * small));
}

Tensor log2_value(const Tensor& x) { return log(x) * std::numbers::log2e; }
Tensor log2_derivative(const Tensor& x) { return std::numbers::log2e / x; }
Tensor log10_value(const Tensor& x) { return log(x) * std::numbers::log10e; }
Tensor log10_derivative(const Tensor& x) { return std::numbers::log10e / x; }

// (1 + 2 t) e^(t^2) erfc(t) as a polynomial of (t - 4) / (t + 4), for t from 0.5 to 28 (erfc_f64 of
// tools/fit_polynomials.py; the form is that of M. Shepherd and J. Laframboise, "Chebyshev
// approximation of (1 + 2 x) exp(x^2) erfc x", Mathematics of Computation 36, 1981).
constexpr std::array kErfcCoefficients = {
    1.2329951186255526,     -0.1396211168405625,     0.015379652102619861,
    0.06809705425468875,    -0.10103906603631156,    0.09373283499852247,
    -0.06633036581204267,   0.03716751553400612,     -0.0161977340600154,
    0.005031970016496503,   -0.0007577732720122007,  -0.00019925695339626667,
    0.00015062159925301354, -2.4398101981973595e-05, -1.1221810826975882e-05,
    5.706598278310316e-06,  2.934304517265951e-07,   -8.196556472118912e-07,
    7.501414527998061e-08,  1.033735826788186e-07,   -1.811776998663078e-08,
    -9.691998599335466e-09, 1.8793979310874836e-09};

// x is f64. From 0.5 on 1 - erf(x) loses digits.
Tensor erfc_value(const Tensor& x) {
  const Tensor t = clip(x, 0.5, 28.0);
  const Tensor q = (t - 4.0) / (t + 4.0);
  Tensor p(kErfcCoefficients.back());
  for (std::size_t i = kErfcCoefficients.size() - 1; i-- > 0;) p = p * q + kErfcCoefficients[i];
  // e^(-t^2) by a z near t whose square is exact.
  const Tensor z = round(t * 0x1p20) * 0x1p-20;
  const Tensor power = exp(-(z * z)) * exp((z - t) * (z + t));
  return where(x < 0.5, 1.0 - erf(x), power * (p / (1.0 + 2.0 * t)));
}
Tensor erfc_derivative(const Tensor& x) { return (-2 * std::numbers::inv_sqrtpi) * exp(-(x * x)); }

Tensor hypot_value(const Tensor& x, const Tensor& y) {
  const Tensor a = maximum(abs(x), abs(y)), b = minimum(abs(x), abs(y));
  const Tensor plain = logical_and(is_finite(a), a != 0.0);
  const Tensor ratio = where(plain, b / where(plain, a, Tensor(1.0f)), Tensor(0.0f));
  // Infinite beside a NaN too.
  return where(logical_or(is_inf(x), is_inf(y)), std::numeric_limits<double>::infinity(),
               a * sqrt(1.0 + ratio * ratio));
}

Tensor logaddexp_value(const Tensor& x, const Tensor& y) {
  const Tensor difference = -abs(x - y);
  return where(is_nan(difference), x + y, maximum(x, y) + log1p(exp(difference)));
}

using Pair = std::span<const Tensor>;

Tensor binary_with_derivative(const Tensor& x, const Tensor& y, std::string_view name,
                              Tensor (*value)(const Tensor&, const Tensor&),
                              const TensorFunction& derivative) {
  const std::vector<Tensor> v = promote_and_broadcast(std::array{x, y}, name);
  const Tensor a = as_real(v[0]), b = as_real(v[1]);
  const DType wide = wide_type(a.dtype());
  const Tensor result = custom_gradient([&](Pair s) { return std::vector{value(s[0], s[1])}; },
                                        derivative, std::array{cast(a, wide), cast(b, wide)})[0];
  const Tensor rounded = cast(result, a.dtype());
  return Tensor(rounded.trace(), rounded.ir_value(), x.is_weak() && y.is_weak());
}

}  // namespace

Tensor with_derivative(const Tensor& x, TensorMap value, TensorMap derivative, DType least) {
  const Tensor real = as_real(x);
  const DType wide = least == DType::f64 ? least : wide_type(real.dtype());
  const Tensor result =
      custom_gradient([&](Pair s) { return std::vector{value(s[0])}; },
                      [&](Pair s) { return std::vector{s[2] * derivative(s[0])}; },
                      std::array{cast(real, wide)})[0];
  return as_type_of(real, result);
}

Tensor log2(const Tensor& x) { return with_derivative(x, log2_value, log2_derivative); }
Tensor log10(const Tensor& x) { return with_derivative(x, log10_value, log10_derivative); }
Tensor asin(const Tensor& x) { return with_derivative(x, asin_value, asin_derivative); }
Tensor acos(const Tensor& x) { return with_derivative(x, acos_value, acos_derivative); }
Tensor atan(const Tensor& x) { return with_derivative(x, atan_value, atan_derivative); }
Tensor sinh(const Tensor& x) { return with_derivative(x, sinh_value, cosh_value); }
Tensor cosh(const Tensor& x) { return with_derivative(x, cosh_value, sinh_value); }
Tensor asinh(const Tensor& x) { return with_derivative(x, asinh_value, asinh_derivative); }
Tensor acosh(const Tensor& x) { return with_derivative(x, acosh_value, acosh_derivative); }
Tensor atanh(const Tensor& x) { return with_derivative(x, atanh_value, atanh_derivative); }
Tensor erfc(const Tensor& x) { return with_derivative(x, erfc_value, erfc_derivative, DType::f64); }

Tensor hypot(const Tensor& x, const Tensor& y) {
  const TensorFunction derivative = [](Pair s) {
    const Tensor &h = s[2], &upstream = s[3], is_zero = h == 0.0;  // 0 where it has none
    const Tensor divisor = where(is_zero, Tensor(1.0f), h);
    const Tensor u = where(is_zero, Tensor(0.0f), upstream);
    return std::vector{u * (s[0] / divisor), u * (s[1] / divisor)};
  };
  return binary_with_derivative(x, y, "hypot", hypot_value, derivative);
}

Tensor logaddexp(const Tensor& x, const Tensor& y) {
  const TensorFunction derivative = [](Pair s) {
    // Equal infinities count as equal numbers.
    const Tensor difference = where(s[0] == s[1], Tensor(0.0f), s[0] - s[1]);
    return std::vector{s[3] * sigmoid(difference), s[3] * sigmoid(-difference)};
  };
  return binary_with_derivative(x, y, "logaddexp", logaddexp_value, derivative);
}

}  // namespace tenon

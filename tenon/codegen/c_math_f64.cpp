#include "tenon/codegen/c_math_text.h"

// Coefficients: tools/fit_polynomials.py. Errors: docs/numbers.md. Straight-line code with selects,
// and integers without conversions from or to floats, which AVX2 lacks for 64 bits.
namespace tenon::codegen {
namespace {

constexpr std::string_view kDoubleText = R"c(
TENON_INLINE double tenon_rsqrt_f64(double x) { return 1.0 / TENON_SQRT(x); }

/* x = n ln 2 + r + rest, |r| <= ln 2 / 2. Adding 1.5 * 2^52 rounds to an integer. */
TENON_INLINE double tenon_reduce_exp_f64(double x, double* n, double* rest) {
  *n = tenon_fma_f64(x, 1.4426950408889634, 6755399441055744.0) - 6755399441055744.0;
  const double first = tenon_fma_f64(*n, -0.6931471805599453, x);
  const double r = tenon_fma_f64(*n, -2.3190468138462996e-17, first);
  *rest = tenon_fma_f64(*n, -2.3190468138462996e-17, first - r);
  return r;
}

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2. */
TENON_INLINE double tenon_exp_polynomial_f64(double r) {
  double q = 2.092851261279947e-09;
  q = tenon_fma_f64(q, r, 2.510951927782855e-08);
  q = tenon_fma_f64(q, r, 2.755725170461077e-07);
  q = tenon_fma_f64(q, r, 2.7557243148265094e-06);
  q = tenon_fma_f64(q, r, 2.4801587326085365e-05);
  q = tenon_fma_f64(q, r, 0.00019841269886930699);
  q = tenon_fma_f64(q, r, 0.0013888888888891572);
  q = tenon_fma_f64(q, r, 0.008333333333321367);
  q = tenon_fma_f64(q, r, 0.041666666666666664);
  q = tenon_fma_f64(q, r, 0.16666666666666677);
  return tenon_fma_f64(q, r, 0.5);
}

/* 2^n for a whole number -1022 <= n <= 1023. */
TENON_INLINE double tenon_power_of_two_f64(double n) {
  return tenon_float_f64((tenon_bits_f64(n + 6755399441055744.0) + 1023u) << 52);
}

/* The bounds overflow and underflow by themselves; two factors let the result be subnormal. */
TENON_INLINE double tenon_exp_f64(double x) {
  const double not_above = x > 710.0 ? 710.0 : x;
  const double bounded = not_above < -746.0 ? -746.0 : not_above;
  double n;
  double rest;
  const double r = tenon_reduce_exp_f64(bounded, &n, &rest);
  const double p = 1.0 + tenon_fma_f64(r * r, tenon_exp_polynomial_f64(r), r);
  const double half = TENON_RINT(0.5 * n);
  return p * tenon_power_of_two_f64(half) * tenon_power_of_two_f64(n - half);
}

/* e^(r + rest) - 1. */
TENON_INLINE double tenon_expm1_polynomial_f64(double r, double rest) {
  return r + tenon_fma_f64(r * r, tenon_exp_polynomial_f64(r), tenon_fma_f64(rest, r, rest));
}

/* 2^n e^r - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)): no overflow before the result does. */
TENON_INLINE double tenon_expm1_f64(double x) {
  const double not_above = x > 710.0 ? 710.0 : x;
  const double bounded = not_above < -40.0 ? -40.0 : not_above;
  double n;
  double rest;
  const double r = tenon_reduce_exp_f64(bounded, &n, &rest);
  const double p = tenon_expm1_polynomial_f64(r, rest);
  const double scale = tenon_power_of_two_f64(n - 1.0);
  const double result = 2.0 * tenon_fma_f64(scale, p, scale - 0.5);
  /* The sign of zeros, and of results that are flushed to zero. */
  const double near_zero = TENON_FABS(x) < 2.2250738585072014e-308 ? x * 2.0 * 0.5 : p;
  return n == 0.0 ? near_zero : result;
}

/* x = 2^n (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), for normal x > 0. */
TENON_INLINE double tenon_split_f64(double x, double* n) {
  const uint64_t shifted = tenon_bits_f64(x) + (0x3ff0000000000000ull - 0x3fe6a09e667f3bcdull);
  *n = tenon_float_f64((shifted >> 52) | 0x4330000000000000ull) - 4503599627371519.0;
  return tenon_float_f64((shifted & 0xfffffffffffffull) + 0x3fe6a09e667f3bcdull) - 1.0;
}

/* log(1 + f) + n ln 2 + rest. With s = f / (2 + f), log(1 + f) = 2 atanh(s) =
   f - (f^2 / 2 - s (f^2 / 2 + s^2 P(s^2))): K. C. Ng's form, whose first term is exact. */
TENON_INLINE double tenon_log_polynomial_f64(double f, double n, double rest) {
  const double s = f / (2.0 + f);
  const double z = s * s;
  double p = 0.14795627812572035;
  p = tenon_fma_f64(p, z, 0.15314085157749924);
  p = tenon_fma_f64(p, z, 0.18183562847480073);
  p = tenon_fma_f64(p, z, 0.22222198605005725);
  p = tenon_fma_f64(p, z, 0.28571428742029);
  p = tenon_fma_f64(p, z, 0.3999999999941664);
  p = tenon_fma_f64(p, z, 0.6666666666666734);
  const double half_square = 0.5 * f * f;
  const double low = tenon_fma_f64(n, 2.3190468138462996e-17, rest);
  const double tail = half_square - tenon_fma_f64(s, tenon_fma_f64(z, p, half_square), low);
  return tenon_fma_f64(n, 0.6931471805599453, f - tail);
}

TENON_INLINE double tenon_log_f64(double x) {
  const double scaled = x < 2.2250738585072014e-308 ? x * 18014398509481984.0 : x;
  const double offset = x < 2.2250738585072014e-308 ? 54.0 : 0.0;
  double n;
  const double f = tenon_split_f64(scaled, &n);
  const double result = tenon_log_polynomial_f64(f, n - offset, 0.0);
  const double finite = x < TENON_INFINITY ? result : x;
  const double not_positive = x == 0.0 ? -TENON_INFINITY : TENON_NAN;
  return x > 0.0 ? finite : not_positive;
}

/* The logarithm of the rounded sum, plus what the rounding lost over the sum. */
TENON_INLINE double tenon_log1p_f64(double x) {
  const double sum = 1.0 + x;
  const double lost = x > 1.0 ? 1.0 - (sum - x) : x - (sum - 1.0);
  double n;
  const double f = tenon_split_f64(sum, &n);
  const double result = tenon_log_polynomial_f64(f, n, lost / sum);
  const double finite = x < TENON_INFINITY ? result : x;
  const double defined = TENON_FABS(x) < 5.551115123125783e-17 ? x : finite;
  const double not_above = x == -1.0 ? -TENON_INFINITY : TENON_NAN;
  return x > -1.0 ? defined : not_above;
}

/* e / (e + 2), e = e^2|x| - 1; 1 from 22 on. */
TENON_INLINE double tenon_tanh_f64(double x) {
  const double magnitude = TENON_FABS(x);
  const double bounded = magnitude > 22.0 ? 22.0 : magnitude;
  double n;
  double rest_of_r;
  const double r = tenon_reduce_exp_f64(2.0 * bounded, &n, &rest_of_r);
  const double scale = tenon_power_of_two_f64(n);
  const double p = tenon_expm1_polynomial_f64(r, rest_of_r);
  const double numerator = tenon_fma_f64(scale, p, scale - 1.0);
  const double denominator = numerator + 2.0;
  const double larger = numerator > 2.0 ? numerator : 2.0;
  const double smaller = numerator > 2.0 ? 2.0 : numerator;
  const double lost = smaller - (denominator - larger);
  return TENON_COPYSIGN(tenon_quotient_f64(numerator, denominator, lost), x);
}

/* 1 or e over 1 + e, e = e^-|x|. */
TENON_INLINE double tenon_logistic_f64(double x) {
  const double e = tenon_exp_f64(-TENON_FABS(x));
  const double numerator = x < 0.0 ? e : 1.0;
  const double denominator = 1.0 + e;
  const double lost = e - (denominator - 1.0);
  return tenon_quotient_f64(numerator, denominator, lost);
}

/* A polynomial below 0.921875; 1 - e^q(|x|) with a polynomial q above, 1 from 6 on. */
TENON_INLINE double tenon_erf_f64(double x) {
  const double magnitude = TENON_FABS(x);
  const double z = x * x;
  double p = -9.59649070604352e-10;
  p = tenon_fma_f64(p, z, 1.4582165037020325e-08);
  p = tenon_fma_f64(p, z, -1.6386785251948855e-07);
  p = tenon_fma_f64(p, z, 1.6468273089452161e-06);
  p = tenon_fma_f64(p, z, -1.4926251474701322e-05);
  p = tenon_fma_f64(p, z, 0.00012055365641506729);
  p = tenon_fma_f64(p, z, -0.0008548328099357665);
  p = tenon_fma_f64(p, z, 0.005223977646931271);
  p = tenon_fma_f64(p, z, -0.02686617064759927);
  p = tenon_fma_f64(p, z, 0.11283791670969563);
  p = tenon_fma_f64(p, z, -0.3761263890318408);
  p = tenon_fma_f64(p, z, 0.1283791670955126);
  const double small = tenon_fma_f64(x, p, x);
  const double bounded = magnitude > 6.0 ? 6.0 : magnitude;
  double q = 1.2957970062114067e-12;
  q = tenon_fma_f64(q, bounded, -5.819524520844707e-11);
  q = tenon_fma_f64(q, bounded, 1.2237532443381913e-09);
  q = tenon_fma_f64(q, bounded, -1.5996661974594308e-08);
  q = tenon_fma_f64(q, bounded, 1.4535630843105607e-07);
  q = tenon_fma_f64(q, bounded, -9.704725323980398e-07);
  q = tenon_fma_f64(q, bounded, 4.884870060230242e-06);
  q = tenon_fma_f64(q, bounded, -1.8537470256480947e-05);
  q = tenon_fma_f64(q, bounded, 5.083935544818054e-05);
  q = tenon_fma_f64(q, bounded, -8.36145808586356e-05);
  q = tenon_fma_f64(q, bounded, -2.067446949644975e-05);
  q = tenon_fma_f64(q, bounded, 0.0006061154389686829);
  q = tenon_fma_f64(q, bounded, -0.0017287615066763605);
  q = tenon_fma_f64(q, bounded, 0.0002444623470059157);
  q = tenon_fma_f64(q, bounded, 0.0191027647991117);
  q = tenon_fma_f64(q, bounded, -0.10275963019168652);
  q = tenon_fma_f64(q, bounded, -0.6366241712157038);
  q = tenon_fma_f64(q, bounded, -1.1283782615407307);
  q = tenon_fma_f64(q, bounded, -8.582240183236383e-08);
  double n;
  double rest;
  const double r = tenon_reduce_exp_f64(q, &n, &rest);
  const double e = 1.0 + tenon_fma_f64(r * r, tenon_exp_polynomial_f64(r), r);
  const double large = TENON_COPYSIGN(1.0 - e * tenon_power_of_two_f64(n), x);
  return magnitude < 0.921875 ? small : large;
}

/* A guess from a third of the exponent, two steps of Halley's iteration, and one of Newton's with
   the cube to twice the precision. Scaled so that nothing overflows or underflows. */
TENON_INLINE double tenon_cbrt_f64(double x) {
  const double magnitude = TENON_FABS(x);
  const double scale = magnitude < 0x1p-900 ? 0x1p180 : magnitude > 0x1p1000 ? 0x1p-180 : 1.0;
  const double unscale = magnitude < 0x1p-900 ? 0x1p-60 : magnitude > 0x1p1000 ? 0x1p60 : 1.0;
  const double a = magnitude * scale;
  const uint32_t third = (uint32_t)(tenon_bits_f64(a) >> 32) / 3u + 715094163u;
  double t = tenon_float_f64((uint64_t)third << 32);
  double cube = t * t * t;
  t = t * ((2.0 * a + cube) / (a + 2.0 * cube));
  cube = t * t * t;
  t = t * ((2.0 * a + cube) / (a + 2.0 * cube));
  const double square = t * t;
  const double square_rest = tenon_fma_f64(t, t, -square);
  cube = square * t;
  const double cube_rest = tenon_fma_f64(square_rest, t, tenon_fma_f64(square, t, -cube));
  t = t + ((a - cube) - cube_rest) / (3.0 * square);
  const double root = TENON_COPYSIGN(t * unscale, x);
  const double nonzero = x == 0.0 ? x : root;
  return magnitude < TENON_INFINITY ? nonzero : x;
}
)c";

}  // namespace

std::string_view f64_function_text() { return kDoubleText; }

}  // namespace tenon::codegen

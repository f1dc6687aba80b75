#include "tenon/codegen/c_math_text.h"

// Seldom used f32 functions, computed in f64 and rounded once. Coefficients:
// tools/fit_polynomials.py. Straight-line code with selects; integers only in lanes as wide as the
// floats beside them, so that a loop around a call becomes vector code.
namespace tenon::codegen {
namespace {

constexpr std::string_view kWideText = R"c(
/* A guess from a third of the exponent, then two steps of Halley's iteration. */
TENON_INLINE float tenon_cbrt_f32(float x) {
  const float magnitude = TENON_FABSF(x);
  const float scaled = magnitude < 1.17549435e-38f ? magnitude * 16777216.0f : magnitude;
  const double unscale = magnitude < 1.17549435e-38f ? 0.00390625 : 1.0;
  const float third = (float)(int32_t)tenon_bits_f32(scaled) * 0.333333343f;
  const double a = scaled;
  double t = tenon_float_f32((uint32_t)(int32_t)third + 0x2a514067u);
  double cube = t * t * t;
  t = t * (2.0 * a + cube) / (a + 2.0 * cube);
  cube = t * t * t;
  t = t * (2.0 * a + cube) / (a + 2.0 * cube);
  const float root = TENON_COPYSIGNF((float)(t * unscale), x);
  const float nonzero = x == 0.0f ? x : root;
  return magnitude < TENON_INFINITYF ? nonzero : x;
}

/* Adds x times 28 bits of 2 / pi (an exact product) to the fraction; whole quarters move out. */
TENON_INLINE double tenon_add_quarters_f32(double x, double bits, double fraction,
                                           double* quarters) {
  const double product = x * bits;
  const double small = product - 4.0 * TENON_RINT(0.25 * product);
  const double sum = fraction + small;
  const double whole = TENON_RINT(sum);
  *quarters += whole;
  return sum - whole;
}

/* |x| = (q + f) pi / 2 with |f| <= 1/2, for every f32: returns f pi / 2 and the low bits of q.
   Payne and Hanek, "Radian reduction for trigonometric functions", SIGNUM 1983, in f64 products. */
TENON_INLINE double tenon_reduce_angle_f32(float x, uint64_t* quarters) {
  const double a = TENON_FABS((double)x);
  double q = 0.0;
  double f = 0.0;
  f = tenon_add_quarters_f32(a, 0.6366197690367699, f, &q);
  f = tenon_add_quarters_f32(a, 3.3308114738561656e-09, f, &q);
  f = tenon_add_quarters_f32(a, 2.276010047810136e-18, f, &q);
  f = tenon_add_quarters_f32(a, 2.5268260189002822e-26, f, &q);
  f = tenon_add_quarters_f32(a, 1.6682867657019525e-34, f, &q);
  f = tenon_add_quarters_f32(a, 1.158871328288855e-43, f, &q);
  f = tenon_add_quarters_f32(a, 7.053959174404295e-52, f, &q);
  *quarters = tenon_bits_f64(q + 6755399441055744.0);
  return f * 1.5707963267948966;
}

/* sin(r) for |r| <= pi / 4, good to f32. */
TENON_INLINE double tenon_sin_polynomial_f32(double r) {
  const double z = r * r;
  double p = 2.7183079697659667e-06;
  p = tenon_fma_f64(p, z, -0.0001983933445993456);
  p = tenon_fma_f64(p, z, 0.008333329384673965);
  p = tenon_fma_f64(p, z, -0.1666666664161463);
  return tenon_fma_f64(r * z, p, r);
}

/* cos(r) for |r| <= pi / 4, good to f32. */
TENON_INLINE double tenon_cos_polynomial_f32(double r) {
  const double z = r * r;
  double p = -2.7210214539104526e-07;
  p = tenon_fma_f64(p, z, 2.479951975152079e-05);
  p = tenon_fma_f64(p, z, -0.001388888375256658);
  p = tenon_fma_f64(p, z, 0.04166666662282059);
  p = tenon_fma_f64(p, z, -0.5);
  return tenon_fma_f64(p, z, 1.0);
}

TENON_INLINE float tenon_sin_f32(float x) {
  uint64_t quarters;
  const double r = tenon_reduce_angle_f32(x, &quarters);
  const double s = tenon_sin_polynomial_f32(r);
  const double c = tenon_cos_polynomial_f32(r);
  const double turned = (quarters & 1u) != 0 ? c : s;
  const uint64_t sign = (quarters << 62) ^ tenon_bits_f64(x);
  return (float)tenon_float_f64(tenon_bits_f64(turned) ^ (sign & 0x8000000000000000ull));
}

TENON_INLINE float tenon_cos_f32(float x) {
  uint64_t quarters;
  const double r = tenon_reduce_angle_f32(x, &quarters);
  const double s = tenon_sin_polynomial_f32(r);
  const double c = tenon_cos_polynomial_f32(r);
  const double turned = (quarters & 1u) != 0 ? s : c;
  const uint64_t sign = (quarters + 1u) << 62;
  return (float)tenon_float_f64(tenon_bits_f64(turned) ^ (sign & 0x8000000000000000ull));
}

TENON_INLINE float tenon_tan_f32(float x) {
  uint64_t quarters;
  const double r = tenon_reduce_angle_f32(x, &quarters);
  const double s = tenon_sin_polynomial_f32(r);
  const double c = tenon_cos_polynomial_f32(r);
  const double numerator = (quarters & 1u) != 0 ? -c : s;
  const double denominator = (quarters & 1u) != 0 ? s : c;
  const uint64_t sign = tenon_bits_f64(x) & 0x8000000000000000ull;
  return (float)tenon_float_f64(tenon_bits_f64(numerator / denominator) ^ sign);
}

/* Base-2 logarithm of a positive finite number. */
TENON_INLINE double tenon_log2_wide_f32(float x) {
  const float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
  const float offset = x < 1.17549435e-38f ? 23.0f : 0.0f;
  const uint32_t bits = tenon_bits_f32(scaled);
  const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
  const double m = tenon_float_f32(bits - ((uint32_t)exponent << 23));
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double p = 0.2431116347363044;
  p = tenon_fma_f64(p, z, 0.26143603921693914);
  p = tenon_fma_f64(p, z, 0.32061641097084503);
  p = tenon_fma_f64(p, z, 0.41219840414456366);
  p = tenon_fma_f64(p, z, 0.57707801722708);
  p = tenon_fma_f64(p, z, 0.9617966939244111);
  p = tenon_fma_f64(p, z, 2.885390081777927);
  return tenon_fma_f64(s, p, (double)((float)exponent - offset));
}

/* 2^x; beyond 160 the result is an f32 overflow or underflow already. */
TENON_INLINE double tenon_exp2_wide_f32(double x) {
  const double not_above = x > 160.0 ? 160.0 : x;
  const double bounded = not_above < -160.0 ? -160.0 : not_above;
  const double shifted = bounded + 6755399441055744.0;
  const double r = bounded - (shifted - 6755399441055744.0);
  double p = 1.3263485725220505e-06;
  p = tenon_fma_f64(p, r, 1.531003154286369e-05);
  p = tenon_fma_f64(p, r, 0.0001540341554997496);
  p = tenon_fma_f64(p, r, 0.0013333450826020494);
  p = tenon_fma_f64(p, r, 0.009618129219273882);
  p = tenon_fma_f64(p, r, 0.05550410940786788);
  p = tenon_fma_f64(p, r, 0.24022650695555187);
  p = tenon_fma_f64(p, r, 0.693147180546129);
  p = tenon_fma_f64(p, r, 1.0);
  return p * tenon_float_f64((tenon_bits_f64(shifted) + 1023u) << 52);
}

/* IEEE 754 pow: the special cases are selected after 2^(y log2 |x|). */
TENON_INLINE float tenon_power_f32(float x, float y) {
  const float magnitude = TENON_FABSF(x);
  const float finite = (float)tenon_exp2_wide_f32((double)y * tenon_log2_wide_f32(magnitude));
  const float of_zero = y > 0.0f ? 0.0f : TENON_INFINITYF;
  const float of_infinity = y > 0.0f ? TENON_INFINITYF : 0.0f;
  const float half = 0.5f * y;
  const uint32_t odd = TENON_RINTF(half) != half ? tenon_bits_f32(x) & 0x80000000u : 0u;
  const uint32_t sign = TENON_RINTF(y) == y ? odd : 0u;
  const float of_fraction = TENON_RINTF(y) == y ? finite : TENON_NANF;
  const float of_negative = x < 0.0f ? of_fraction : finite;
  const float below_infinity = magnitude < TENON_INFINITYF ? of_negative : of_infinity;
  const float nonzero = x == 0.0f ? of_zero : below_infinity;
  const float of_minus_one = TENON_RINTF(y) == y ? 1.0f : TENON_NANF;
  const float with_minus_one = x == -1.0f ? of_minus_one : nonzero;
  const float signed_result = tenon_float_f32(tenon_bits_f32(with_minus_one) ^ sign);
  const float of_x = x == x ? signed_result : x;
  const float of_both = y == y ? of_x : y;
  const float except_one = x == 1.0f ? 1.0f : of_both;
  return y == 0.0f ? 1.0f : except_one;
}

/* atan of the smaller over the larger magnitude; above tan(pi / 8) by way of
   atan(t) = pi / 4 + atan((t - 1) / (t + 1)). Infinities become 1e300. */
TENON_INLINE float tenon_atan2_f32(float y, float x) {
  const double wide_x = TENON_FABS((double)x);
  const double wide_y = TENON_FABS((double)y);
  const double a = wide_x > 1e300 ? 1e300 : wide_x;
  const double b = wide_y > 1e300 ? 1e300 : wide_y;
  const double larger = b > a ? b : a;
  const double smaller = b > a ? a : b;
  const double least = smaller > 0.41421356237309503 * larger ? larger : 0.0;
  const double numerator = smaller - least;
  const double sum = larger + (least > 0.0 ? smaller : 0.0);
  const double denominator = larger == 0.0 ? 1.0 : sum;
  const double t = numerator / denominator;
  const double z = t * t;
  double p = -0.03795953414173833;
  p = tenon_fma_f64(p, z, 0.06993301675819467);
  p = tenon_fma_f64(p, z, -0.08997322341771662);
  p = tenon_fma_f64(p, z, 0.11104058742326552);
  p = tenon_fma_f64(p, z, -0.14285426778099702);
  p = tenon_fma_f64(p, z, 0.19999994409798563);
  p = tenon_fma_f64(p, z, -0.33333333296461054);
  const double octant = tenon_fma_f64(t * z, p, t) + (least > 0.0 ? 0.7853981633974483 : 0.0);
  const double quadrant = b > a ? 1.5707963267948966 - octant : octant;
  const double other = 3.141592653589793 - quadrant;
  const double half = TENON_COPYSIGN(1.0, (double)x) < 0.0 ? other : quadrant;
  const float result = TENON_COPYSIGNF((float)half, y);
  const float of_x = x == x ? result : x;
  return y == y ? of_x : y;
}
)c";

}  // namespace

std::string_view f32_wide_function_text() { return kWideText; }

}  // namespace tenon::codegen

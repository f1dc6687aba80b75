#include "tenon/codegen/c_math_text.h"

// Coefficients: tools/fit_polynomials.py. Errors: docs/numbers.md. Straight-line code with selects,
// in 32-bit lanes only, so that a loop around a call becomes vector code.
namespace tenon::codegen {
namespace {

constexpr std::string_view kText = R"c(
TENON_INLINE float tenon_rsqrt_f32(float x) { return 1.0f / TENON_SQRTF(x); }

/* x = n ln 2 + r, |r| <= ln 2 / 2. Adding 1.5 * 2^23 rounds to an integer, left in the low bits. */
TENON_INLINE float tenon_reduce_exp_f32(float x, float* n, int32_t* integer) {
  const float shifted = tenon_fma_f32(x, 1.44269502f, 12582912.0f);
  *integer = (int32_t)(tenon_bits_f32(shifted) - 0x4b400000u);
  *n = shifted - 12582912.0f;
  const float r = tenon_fma_f32(*n, -0.693147182f, x);
  return tenon_fma_f32(*n, 1.90465421e-9f, r);
}

/* e^r for |r| <= ln 2 / 2. */
TENON_INLINE float tenon_exp_polynomial_f32(float r) {
  float q = 0.0013941877f;
  q = tenon_fma_f32(q, r, 0.008368679f);
  q = tenon_fma_f32(q, r, 0.04166639f);
  q = tenon_fma_f32(q, r, 0.16666521f);
  q = tenon_fma_f32(q, r, 0.5f);
  return tenon_fma_f32(r * r, q, r) + 1.0f;
}

/* 2^n for -126 <= n <= 127. */
TENON_INLINE float tenon_power_of_two_f32(int32_t n) {
  return tenon_float_f32((uint32_t)(n + 127) << 23);
}

/* The bounds overflow and underflow by themselves; two factors let the result be subnormal. */
TENON_INLINE float tenon_exp_f32(float x) {
  const float not_above = x > 89.0f ? 89.0f : x;
  const float bounded = not_above < -104.0f ? -104.0f : not_above;
  float n;
  int32_t integer;
  const float r = tenon_reduce_exp_f32(bounded, &n, &integer);
  const int32_t half = integer >> 1;
  const float scaled = tenon_exp_polynomial_f32(r) * tenon_power_of_two_f32(half);
  return scaled * tenon_power_of_two_f32(integer - half);
}

/* e^r - 1 for |r| <= ln 2 / 2, with a small relative error. */
TENON_INLINE float tenon_expm1_polynomial_f32(float r) {
  float q = 0.00019944162f;
  q = tenon_fma_f32(q, r, 0.0013932666f);
  q = tenon_fma_f32(q, r, 0.008333208f);
  q = tenon_fma_f32(q, r, 0.04166649f);
  q = tenon_fma_f32(q, r, 0.16666667f);
  q = tenon_fma_f32(q, r, 0.5f);
  return tenon_fma_f32(r * r, q, r);
}

/* 2^n e^r - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)): no overflow before the result does. */
TENON_INLINE float tenon_expm1_f32(float x) {
  const float not_above = x > 89.0f ? 89.0f : x;
  const float bounded = not_above < -20.0f ? -20.0f : not_above;
  float n;
  int32_t integer;
  const float r = tenon_reduce_exp_f32(bounded, &n, &integer);
  const float p = tenon_expm1_polynomial_f32(r);
  const float scale = tenon_power_of_two_f32(integer - 1);
  const float result = 2.0f * tenon_fma_f32(scale, p, scale - 0.5f);
  /* The sign of zeros, and of results that are flushed to zero. */
  const float near_zero = TENON_FABSF(x) < 1.17549435e-38f ? x * 2.0f * 0.5f : p;
  return n == 0.0f ? near_zero : result;
}

/* log(1 + f) for sqrt(1/2) <= 1 + f < sqrt(2), plus n ln 2. */
TENON_INLINE float tenon_log_polynomial_f32(float f, float n) {
  float p = -0.076363094f;
  p = tenon_fma_f32(p, f, 0.12762067f);
  p = tenon_fma_f32(p, f, -0.13159582f);
  p = tenon_fma_f32(p, f, 0.14201592f);
  p = tenon_fma_f32(p, f, -0.16623412f);
  p = tenon_fma_f32(p, f, 0.20001242f);
  p = tenon_fma_f32(p, f, -0.2500082f);
  p = tenon_fma_f32(p, f, 0.3333333f);
  p = tenon_fma_f32(p, f, -0.5f);
  const float rest = tenon_fma_f32(n, -1.90465421e-9f, f * f * p);
  return tenon_fma_f32(n, 0.693147182f, f + rest);
}

TENON_INLINE float tenon_log_f32(float x) {
  const float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
  const float offset = x < 1.17549435e-38f ? 23.0f : 0.0f;
  const uint32_t bits = tenon_bits_f32(scaled);
  const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
  const float m = tenon_float_f32(bits - ((uint32_t)exponent << 23));
  const float result = tenon_log_polynomial_f32(m - 1.0f, (float)exponent - offset);
  const float finite = x < TENON_INFINITYF ? result : x;
  const float not_positive = x == 0.0f ? -TENON_INFINITYF : TENON_NANF;
  return x > 0.0f ? finite : not_positive;
}

/* 1 + x = 2^n (1 + f). In quarters, because 2^-n of the largest x would be subnormal. */
TENON_INLINE float tenon_log1p_f32(float x) {
  const uint32_t bits = tenon_bits_f32(1.0f + x);
  const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
  const float scale = tenon_power_of_two_f32(2 - exponent);
  const float f = tenon_fma_f32(0.25f * x, scale, tenon_fma_f32(0.25f, scale, -1.0f));
  const float result = tenon_log_polynomial_f32(f, (float)exponent);
  const float finite = x < TENON_INFINITYF ? result : x;
  const float defined = TENON_FABSF(x) < 2.98023224e-8f ? x : finite;
  const float not_above = x == -1.0f ? -TENON_INFINITYF : TENON_NANF;
  return x > -1.0f ? defined : not_above;
}

/* e / (e + 2), e = e^2|x| - 1; 1 from 10 on. */
TENON_INLINE float tenon_tanh_f32(float x) {
  const float magnitude = TENON_FABSF(x);
  const float bounded = magnitude > 10.0f ? 10.0f : magnitude;
  float n;
  int32_t integer;
  const float r = tenon_reduce_exp_f32(2.0f * bounded, &n, &integer);
  const float scale = tenon_power_of_two_f32(integer);
  const float numerator = tenon_fma_f32(scale, tenon_expm1_polynomial_f32(r), scale - 1.0f);
  const float denominator = numerator + 2.0f;
  const float larger = numerator > 2.0f ? numerator : 2.0f;
  const float smaller = numerator > 2.0f ? 2.0f : numerator;
  const float lost = smaller - (denominator - larger);
  return TENON_COPYSIGNF(tenon_quotient_f32(numerator, denominator, lost), x);
}

/* 1 or e over 1 + e, e = e^-|x|. */
TENON_INLINE float tenon_logistic_f32(float x) {
  const float e = tenon_exp_f32(-TENON_FABSF(x));
  const float numerator = x < 0.0f ? e : 1.0f;
  const float denominator = 1.0f + e;
  const float lost = e - (denominator - 1.0f);
  return tenon_quotient_f32(numerator, denominator, lost);
}

/* A polynomial below 0.921875; 1 - e^q(|x|) with a polynomial q above, 1 from 4 on. */
TENON_INLINE float tenon_erf_f32(float x) {
  const float magnitude = TENON_FABSF(x);
  const float z = x * x;
  float p = 8.214424e-05f;
  p = tenon_fma_f32(p, z, -0.00080908486f);
  p = tenon_fma_f32(p, z, 0.0051948726f);
  p = tenon_fma_f32(p, z, -0.026856195f);
  p = tenon_fma_f32(p, z, 0.11283626f);
  p = tenon_fma_f32(p, z, -0.3761263f);
  p = tenon_fma_f32(p, z, 0.12837917f);
  const float small = tenon_fma_f32(x, p, x);
  const float bounded = magnitude > 4.0f ? 4.0f : magnitude;
  float q = -4.967506e-07f;
  q = tenon_fma_f32(q, bounded, -1.4645892e-05f);
  q = tenon_fma_f32(q, bounded, 0.0003986234f);
  q = tenon_fma_f32(q, bounded, -0.004059672f);
  q = tenon_fma_f32(q, bounded, 0.02490754f);
  q = tenon_fma_f32(q, bounded, -0.108027354f);
  q = tenon_fma_f32(q, bounded, -0.63353163f);
  q = tenon_fma_f32(q, bounded, -1.1294392f);
  q = tenon_fma_f32(q, bounded, 0.00016135938f);
  float n;
  int32_t integer;
  const float r = tenon_reduce_exp_f32(q, &n, &integer);
  const float complement = tenon_exp_polynomial_f32(r) * tenon_power_of_two_f32(integer);
  const float large = TENON_COPYSIGNF(1.0f - complement, x);
  return magnitude < 0.921875f ? small : large;
}
)c";

}  // namespace

std::string_view f32_function_text() { return kText; }

}  // namespace tenon::codegen

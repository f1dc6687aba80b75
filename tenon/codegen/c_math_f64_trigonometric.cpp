#include "tenon/codegen/c_math_text.h"

// Coefficients: tools/fit_polynomials.py. Errors: docs/numbers.md. A number `x` with `x_rest` is
// their unevaluated sum.
namespace tenon::codegen {
namespace {

constexpr std::string_view kTrigonometricText = R"c(
/* |x| >= 2^20, finite: |x| = (q + f) pi / 2 with |f| <= 1/2; returns f pi / 2 and q mod 4.
   M. Payne and R. Hanek, "Radian reduction for trigonometric functions", SIGNUM 1983: of 2 / pi
   only the 192 bits matter whose products with the 53 bits of x lie below 4 and above 2^-137. */
TENON_OUTLINE double tenon_reduce_huge_angle_f64(double x, uint64_t* quarters, double* rest) {
  const uint64_t two_over_pi[20] = {
      0, 0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull,
      0xfe5163abdebbc561ull, 0xb7246e3a424dd2e0ull, 0x06492eea09d1921cull, 0xfe1deb1cb129a73eull,
      0xe88235f52ebb4484ull, 0xe99c7026b45f7e41ull, 0x3991d639835339f4ull, 0x9c845f8bbdf9283bull,
      0x1ff897ffde05980full, 0xef2f118b5a0a6d1full, 0x6d367ecf27cb09b7ull, 0x4f463f669e5fea2dull,
      0x7527bac7ebe5f17bull, 0x3d0739f78a5292eaull, 0x6bfb5fb11f8d5d08ull, 0x56033046fc7b6babull};
  const uint64_t bits = tenon_bits_f64(x) & 0x7fffffffffffffffull;
  const uint64_t integer = (bits & 0xfffffffffffffull) | 0x10000000000000ull;
  /* x = integer * 2^k; the bit `start` of the table, whose first 64 are 0, weighs 2^(1 - k). */
  const int start = (int)(bits >> 52) - 1013;
  const int word = start >> 6;
  const int shift = start & 63;
  uint64_t window[3];
  for (int i = 0; i < 3; ++i) {
    const uint64_t next = shift == 0 ? 0 : two_over_pi[word + i + 1] >> (64 - shift);
    window[i] = (two_over_pi[word + i] << shift) | next;
  }
  /* The low 192 bits of the product: 2 bits of quarters, 190 of fraction. */
  const uint64_t lowest = integer * window[2];
  const uint64_t carry = TENON_MULTIPLY_HIGH(integer, window[2]);
  const uint64_t middle = integer * window[1] + carry;
  const uint64_t high =
      integer * window[0] + TENON_MULTIPLY_HIGH(integer, window[1]) + (middle < carry ? 1u : 0u);
  uint64_t fraction = (high << 2) | (middle >> 62);
  uint64_t fraction_rest = (middle << 2) | (lowest >> 62);
  *quarters = high >> 62;
  const int negative = fraction >> 63 != 0;
  if (negative) {
    *quarters += 1;
    fraction_rest = ~fraction_rest + 1;
    fraction = ~fraction + (fraction_rest == 0 ? 1u : 0u);
  }
  int zeros = 0;
  if (fraction == 0) {
    fraction = fraction_rest;
    fraction_rest = 0;
    zeros = 64;
  }
  const int more = fraction == 0 ? 0 : TENON_LEADING_ZEROS(fraction);
  if (more > 0) {
    fraction = (fraction << more) | (fraction_rest >> (64 - more));
    fraction_rest <<= more;
  }
  const double scale = tenon_float_f64((uint64_t)(1023 - 53 - zeros - more) << 52);
  const double f = (double)(fraction >> 11) * scale;
  const double f_rest = (double)((fraction << 53) | (fraction_rest >> 11)) * scale * 0x1p-64;
  const double r = f * 1.5707963267948966;
  const double product_rest = tenon_fma_f64(f, 1.5707963267948966, -r);
  const double low = tenon_fma_f64(f_rest, 1.5707963267948966, product_rest);
  const double r_rest = tenon_fma_f64(f, 6.123233995736766e-17, low);
  *rest = negative ? -r_rest : r_rest;
  return negative ? -r : r;
}

/* |x| = q pi / 2 + r + rest with |r| <= pi / 4; returns r and the low bits of q. Below 2^20 with
   pi / 2 in three parts (W. Cody and W. Waite, "Software manual for the elementary functions",
   1980), of which the first difference is exact. */
TENON_INLINE double tenon_reduce_angle_f64(double x, uint64_t* quarters, double* rest) {
  const double magnitude = TENON_FABS(x);
  if (magnitude >= 1048576.0) {
    if (magnitude < TENON_INFINITY) return tenon_reduce_huge_angle_f64(magnitude, quarters, rest);
    *quarters = 0;
    *rest = 0.0;
    return TENON_NAN;
  }
  const double q = TENON_RINT(magnitude * 0.6366197723675814);
  *quarters = tenon_bits_f64(q + 6755399441055744.0);
  const double first = tenon_fma_f64(q, -1.5707963267948966, magnitude);
  const double second = q * 6.123233995736766e-17;
  const double second_rest = tenon_fma_f64(q, 6.123233995736766e-17, -second);
  const double difference = first - second;
  const double taken = first - difference;
  const double difference_rest = (first - (difference + taken)) + (taken - second);
  const double low = difference_rest - tenon_fma_f64(q, -1.4973849048591698e-33, second_rest);
  const double r = difference + low;
  *rest = (difference - r) + low;
  return r;
}

/* sin(r + rest) = r + the result, |r| <= pi / 4. */
TENON_INLINE double tenon_sin_rest_f64(double r, double rest) {
  const double z = r * r;
  double p = 1.5896679533008967e-10;
  p = tenon_fma_f64(p, z, -2.505075698054322e-08);
  p = tenon_fma_f64(p, z, 2.755731369223135e-06);
  p = tenon_fma_f64(p, z, -0.00019841269829836417);
  p = tenon_fma_f64(p, z, 0.008333333333322488);
  p = tenon_fma_f64(p, z, -0.16666666666666632);
  return tenon_fma_f64(r * z, p, rest * tenon_fma_f64(-0.5, z, 1.0));
}

/* cos(r + rest) = the result + result_rest, |r| <= pi / 4. */
TENON_INLINE double tenon_cos_sum_f64(double r, double rest, double* result_rest) {
  const double z = r * r;
  const double z_rest = tenon_fma_f64(r, r, -z);
  double p = -1.1359854588950362e-11;
  p = tenon_fma_f64(p, z, 2.0875728123570404e-09);
  p = tenon_fma_f64(p, z, -2.755731439543223e-07);
  p = tenon_fma_f64(p, z, 2.4801587289662087e-05);
  p = tenon_fma_f64(p, z, -0.0013888888888874472);
  p = tenon_fma_f64(p, z, 0.0416666666666666);
  const double half = 0.5 * z;
  const double first = 1.0 - half;
  const double tail = tenon_fma_f64(z * z, p, -tenon_fma_f64(r, rest, 0.5 * z_rest));
  const double low = ((1.0 - first) - half) + tail;
  const double result = first + low;
  *result_rest = (first - result) + low;
  return result;
}

TENON_INLINE double tenon_sin_f64(double x) {
  if (TENON_FABS(x) < 7.450580596923828e-09) return x;
  uint64_t quarters;
  double rest;
  double cos_rest;
  const double r = tenon_reduce_angle_f64(x, &quarters, &rest);
  const double s = r + tenon_sin_rest_f64(r, rest);
  const double c = tenon_cos_sum_f64(r, rest, &cos_rest);
  const double turned = (quarters & 1u) != 0 ? c : s;
  return ((quarters & 2u) != 0) != (x < 0.0) ? -turned : turned;
}

TENON_INLINE double tenon_cos_f64(double x) {
  uint64_t quarters;
  double rest;
  double cos_rest;
  const double r = tenon_reduce_angle_f64(x, &quarters, &rest);
  const double s = r + tenon_sin_rest_f64(r, rest);
  const double c = tenon_cos_sum_f64(r, rest, &cos_rest);
  const double turned = (quarters & 1u) != 0 ? s : c;
  return ((quarters + 1u) & 2u) != 0 ? -turned : turned;
}

/* The quotient of sine and cosine, each to more than f64; what the division leaves is added. */
TENON_INLINE double tenon_tan_f64(double x) {
  if (TENON_FABS(x) < 7.450580596923828e-09) return x;
  uint64_t quarters;
  double rest;
  double c_rest;
  const double r = tenon_reduce_angle_f64(x, &quarters, &rest);
  const double s_low = tenon_sin_rest_f64(r, rest);
  const double s = r + s_low;
  const double s_rest = (r - s) + s_low;
  const double c = tenon_cos_sum_f64(r, rest, &c_rest);
  const int odd = (quarters & 1u) != 0;
  const double numerator = odd ? -c : s;
  const double numerator_rest = odd ? -c_rest : s_rest;
  const double denominator = odd ? s : c;
  const double denominator_rest = odd ? s_rest : c_rest;
  const double quotient = numerator / denominator;
  const double left = tenon_fma_f64(-quotient, denominator, numerator) + numerator_rest;
  const double result = quotient + tenon_fma_f64(-quotient, denominator_rest, left) / denominator;
  return x < 0.0 ? -result : result;
}

/* atan of the smaller over the larger magnitude; above tan(pi / 8) by way of
   atan(t) = pi / 4 + atan((t - 1) / (t + 1)). Sums and quotients keep what rounding loses. */
TENON_OUTLINE double tenon_atan2_f64(double y, double x) {
  if (x != x || y != y) return x + y;
  const int steep = TENON_FABS(y) > TENON_FABS(x);
  double larger = steep ? TENON_FABS(y) : TENON_FABS(x);
  double smaller = steep ? TENON_FABS(x) : TENON_FABS(y);
  if (larger == TENON_INFINITY) {
    smaller = smaller == TENON_INFINITY ? 1.0 : 0.0;
    larger = 1.0;
  }
  /* Away from overflow of the sum and underflow of what the division leaves. */
  const double scale = larger > 0x1p1000 ? 0x1p-4 : larger < 0x1p-900 ? 0x1p200 : 1.0;
  larger *= scale;
  smaller *= scale;
  const int near_diagonal = smaller > 0.41421356237309503 * larger;
  const double difference = smaller - larger;
  const double sum = larger + smaller;
  const double numerator = near_diagonal ? difference : smaller;
  const double numerator_rest = near_diagonal ? smaller - (difference + larger) : 0.0;
  const double denominator = near_diagonal ? sum : larger;
  const double denominator_rest = near_diagonal ? smaller - (sum - larger) : 0.0;
  const double t = larger == 0.0 ? 0.0 : numerator / denominator;
  const double left = tenon_fma_f64(-t, denominator, numerator) + numerator_rest;
  const double t_rest =
      larger == 0.0 ? 0.0 : tenon_fma_f64(-t, denominator_rest, left) / denominator;
  const double z = t * t;
  double p = -0.017951702751756428;
  p = tenon_fma_f64(p, z, 0.038096025139423714);
  p = tenon_fma_f64(p, z, -0.05040216283398341);
  p = tenon_fma_f64(p, z, 0.05848030353546388);
  p = tenon_fma_f64(p, z, -0.0666311706333809);
  p = tenon_fma_f64(p, z, 0.07692061008748496);
  p = tenon_fma_f64(p, z, -0.090908977939524);
  p = tenon_fma_f64(p, z, 0.11111110784683952);
  p = tenon_fma_f64(p, z, -0.14285714280220618);
  p = tenon_fma_f64(p, z, 0.19999999999953819);
  p = tenon_fma_f64(p, z, -0.333333333333332);
  double angle = t;
  double rest = tenon_fma_f64(t * z, p, tenon_fma_f64(-t_rest, z, t_rest));
  if (near_diagonal) {
    angle = 0.7853981633974483 + t;
    rest += ((0.7853981633974483 - angle) + t) + 3.061616997868383e-17;
  }
  if (steep) {
    const double other = 1.5707963267948966 - angle;
    rest = ((1.5707963267948966 - other) - angle) + (6.123233995736766e-17 - rest);
    angle = other;
  }
  if (TENON_COPYSIGN(1.0, x) < 0.0) {
    const double other = 3.141592653589793 - angle;
    rest = ((3.141592653589793 - other) - angle) + (1.2246467991473532e-16 - rest);
    angle = other;
  }
  return TENON_COPYSIGN(angle + rest, y);
}
)c";

}  // namespace

std::string_view f64_trigonometric_text() { return kTrigonometricText; }

}  // namespace tenon::codegen

#include "tenon/codegen/c_math_text.h"

// Coefficients: tools/fit_polynomials.py. A number `x` with `x_rest` is their unevaluated sum.
namespace tenon::codegen {
namespace {

constexpr std::string_view kPowerText = R"c(
/* log(x) = result + rest to about 2^-66, x > 0 and finite: 2 atanh(s) with s = (m - 1) / (m + 1),
   whose first two terms are summed in double-double arithmetic (T. Dekker, "A floating-point
   technique for extending the available precision", 1971). */
TENON_INLINE double tenon_log_sum_f64(double x, double* rest) {
  const int subnormal = x < 2.2250738585072014e-308;
  double n;
  const double f = tenon_split_f64(subnormal ? x * 18014398509481984.0 : x, &n);
  n = subnormal ? n - 54.0 : n;
  const double sum = 2.0 + f;
  const double sum_rest = f - (sum - 2.0);
  const double s = f / sum;
  const double s_rest = tenon_fma_f64(-s, sum_rest, tenon_fma_f64(-s, sum, f)) / sum;
  const double z = s * s;
  const double z_rest = tenon_fma_f64(2.0 * s, s_rest, tenon_fma_f64(s, s, -z));
  double p = 0.11996580755895582;
  p = tenon_fma_f64(p, z, 0.11674221198171192);
  p = tenon_fma_f64(p, z, 0.13336328602976896);
  p = tenon_fma_f64(p, z, 0.1538455714553943);
  p = tenon_fma_f64(p, z, 0.18181818856445467);
  p = tenon_fma_f64(p, z, 0.22222222217743084);
  p = tenon_fma_f64(p, z, 0.2857142857144384);
  p = tenon_fma_f64(p, z, 0.3999999999999998);
  /* log(m) = 2 s + s z (2/3 + z p) */
  const double tail = z * p;
  const double factor = 0.6666666666666666 + tail;
  const double factor_rest = ((0.6666666666666666 - factor) + tail) + 3.700743415417188e-17;
  const double product = z * factor;
  const double product_rest = tenon_fma_f64(
      z, factor_rest, tenon_fma_f64(z_rest, factor, tenon_fma_f64(z, factor, -product)));
  const double term = s * product;
  const double term_rest = tenon_fma_f64(
      s, product_rest, tenon_fma_f64(s_rest, product, tenon_fma_f64(s, product, -term)));
  const double of_m = 2.0 * s + term;
  const double of_m_rest = ((2.0 * s - of_m) + term) + (2.0 * s_rest + term_rest);
  /* ln 2 = 0.693147180559890330 (42 bits, so that n times it is exact) + 5.49792301870837115e-14 */
  const double of_n = n * 0.69314718055989033;
  const double result = of_n + of_m;
  const double larger_first = n == 0.0 ? of_m_rest : ((of_n - result) + of_m) + of_m_rest;
  const double low = tenon_fma_f64(n, 5.4979230187083712e-14, larger_first);
  const double rounded = result + low;
  *rest = (result - rounded) + low;
  return rounded;
}

/* e^(x + rest), |rest| far below |x|. */
TENON_INLINE double tenon_exp_sum_f64(double x, double rest) {
  if (x > 710.0) return TENON_INFINITY;
  if (x < -746.0) return 0.0;
  double n;
  double r_rest;
  const double r_of_x = tenon_reduce_exp_f64(x, &n, &r_rest);
  const double low_part = r_rest + rest;
  const double r = r_of_x + low_part;
  const double low = (r_of_x - r) + low_part;
  const double first = 1.0 + r;
  const double first_rest = (1.0 - first) + r;
  const double tail = tenon_fma_f64(r * r, tenon_exp_polynomial_f64(r), tenon_fma_f64(low, r, low));
  const double p = first + (first_rest + tail);
  const double half = TENON_RINT(0.5 * n);
  return p * tenon_power_of_two_f64(half) * tenon_power_of_two_f64(n - half);
}

/* IEEE 754 pow. */
TENON_OUTLINE double tenon_power_f64(double x, double y) {
  if (y == 0.0 || x == 1.0) return 1.0;
  if (x != x || y != y) return x + y;
  const double magnitude = TENON_FABS(x);
  const int whole = TENON_RINT(y) == y;
  const int odd = whole && TENON_RINT(0.5 * y) != 0.5 * y;
  const double sign = odd && TENON_COPYSIGN(1.0, x) < 0.0 ? -1.0 : 1.0;
  if (magnitude == 0.0) return sign * (y > 0.0 ? 0.0 : TENON_INFINITY);
  if (magnitude == TENON_INFINITY) return sign * (y > 0.0 ? TENON_INFINITY : 0.0);
  if (TENON_FABS(y) == TENON_INFINITY) {
    if (magnitude == 1.0) return 1.0;
    return (magnitude > 1.0) == (y > 0.0) ? TENON_INFINITY : 0.0;
  }
  if (x < 0.0 && !whole) return TENON_NAN;
  if (magnitude == 1.0) return sign;
  double log_rest;
  const double log = tenon_log_sum_f64(magnitude, &log_rest);
  const double product = y * log;
  const double product_rest = tenon_fma_f64(y, log_rest, tenon_fma_f64(y, log, -product));
  return sign * tenon_exp_sum_f64(product, product_rest);
}
)c";

}  // namespace

std::string_view f64_power_text() { return kPowerText; }

}  // namespace tenon::codegen

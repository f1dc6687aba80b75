#include "tenon/codegen/c_math_text.h"

// Functions whose results are exact or correctly rounded by one machine instruction.
namespace tenon::codegen {
namespace {

constexpr std::string_view kComparisons = R"c(
TENON_INLINE uint8_t tenon_equal_$N($T x, $T y) { return x == y; }

TENON_INLINE uint8_t tenon_not_equal_$N($T x, $T y) { return x != y; }

TENON_INLINE uint8_t tenon_less_$N($T x, $T y) { return x < y; }

TENON_INLINE uint8_t tenon_less_equal_$N($T x, $T y) { return x <= y; }

TENON_INLINE uint8_t tenon_greater_$N($T x, $T y) { return x > y; }

TENON_INLINE uint8_t tenon_greater_equal_$N($T x, $T y) { return x >= y; }

)c";

constexpr std::string_view kOfBool = R"c(
TENON_INLINE uint8_t tenon_logical_not_bool(uint8_t x) { return x ^ 1; }

TENON_INLINE uint8_t tenon_logical_and_bool(uint8_t x, uint8_t y) { return x & y; }

TENON_INLINE uint8_t tenon_logical_or_bool(uint8_t x, uint8_t y) { return x | y; }

TENON_INLINE uint8_t tenon_logical_xor_bool(uint8_t x, uint8_t y) { return x ^ y; }

TENON_INLINE uint8_t tenon_minimum_bool(uint8_t x, uint8_t y) { return x & y; }

TENON_INLINE uint8_t tenon_maximum_bool(uint8_t x, uint8_t y) { return x | y; }

)c";

// Unsigned arithmetic wraps; the conversion back to a signed type keeps the bits.
constexpr std::string_view kOfIntegers = R"c(
TENON_INLINE $T tenon_negate_$N($T x) { return ($T)(($U)0 - ($U)x); }

TENON_INLINE $T tenon_logical_not_$N($T x) { return ($T)~($U)x; }

TENON_INLINE $T tenon_population_count_$N($T x) { return ($T)TENON_POPULATION_COUNT(($U)x); }

TENON_INLINE $T tenon_add_$N($T x, $T y) { return ($T)(($U)x + ($U)y); }

TENON_INLINE $T tenon_subtract_$N($T x, $T y) { return ($T)(($U)x - ($U)y); }

TENON_INLINE $T tenon_multiply_$N($T x, $T y) { return ($T)(($U)x * ($U)y); }

TENON_INLINE $T tenon_minimum_$N($T x, $T y) { return x < y ? x : y; }

TENON_INLINE $T tenon_maximum_$N($T x, $T y) { return x < y ? y : x; }

TENON_INLINE $T tenon_logical_and_$N($T x, $T y) { return ($T)(($U)x & ($U)y); }

TENON_INLINE $T tenon_logical_or_$N($T x, $T y) { return ($T)(($U)x | ($U)y); }

TENON_INLINE $T tenon_logical_xor_$N($T x, $T y) { return ($T)(($U)x ^ ($U)y); }

/* Counts of $B and more, and negative ones, give 0. */
TENON_INLINE $T tenon_shift_left_$N($T x, $T y) {
  const $U shifted = ($U)(($U)x << (($U)y & ($B - 1)));
  return ($T)(($U)y < $B ? shifted : 0);
}

TENON_INLINE $T tenon_shift_right_logical_$N($T x, $T y) {
  const $U shifted = ($U)(($U)x >> (($U)y & ($B - 1)));
  return ($T)(($U)y < $B ? shifted : 0);
}

/* Counts of $B and more, and negative ones, give the sign in every bit. */
TENON_INLINE $T tenon_shift_right_arithmetic_$N($T x, $T y) {
  const $U count = ($U)y < $B ? ($U)y : ($U)($B - 1);
  return ($T)(($S)x >> count);
}

)c";

constexpr std::string_view kOfSigned = R"c(
TENON_INLINE $T tenon_abs_$N($T x) { return x < 0 ? ($T)(($U)0 - ($U)x) : x; }

TENON_INLINE $T tenon_sign_$N($T x) { return ($T)((x > 0) - (x < 0)); }

/* x / 0 is -1; the lowest value / -1 is itself. */
TENON_INLINE $T tenon_divide_$N($T x, $T y) {
  if (y == 0) return -1;
  if (y == -1) return ($T)(($U)0 - ($U)x);
  return ($T)(x / y);
}

/* x rem 0 is x; the sign is that of x. */
TENON_INLINE $T tenon_remainder_$N($T x, $T y) {
  if (y == 0) return x;
  if (y == -1) return 0;
  return ($T)(x % y);
}

)c";

constexpr std::string_view kOfUnsigned = R"c(
TENON_INLINE $T tenon_abs_$N($T x) { return x; }

TENON_INLINE $T tenon_sign_$N($T x) { return x > 0; }

/* x / 0 is all ones. */
TENON_INLINE $T tenon_divide_$N($T x, $T y) { return y == 0 ? ($T)~($T)0 : ($T)(x / y); }

TENON_INLINE $T tenon_remainder_$N($T x, $T y) { return y == 0 ? x : ($T)(x % y); }

)c";

constexpr std::string_view kOfFloats = R"c(
TENON_INLINE $T tenon_negate_$N($T x) { return -x; }

TENON_INLINE $T tenon_abs_$N($T x) { return TENON_FABS$F(x); }

/* Keeps NaN and both zeros. */
TENON_INLINE $T tenon_sign_$N($T x) { return x > 0 ? ($T)1 : x < 0 ? ($T)-1 : x; }

TENON_INLINE $T tenon_floor_$N($T x) { return TENON_FLOOR$F(x); }

TENON_INLINE $T tenon_ceil_$N($T x) { return TENON_CEIL$F(x); }

TENON_INLINE $T tenon_round_nearest_even_$N($T x) { return TENON_RINT$F(x); }

TENON_INLINE $T tenon_sqrt_$N($T x) { return TENON_SQRT$F(x); }

TENON_INLINE uint8_t tenon_is_finite_$N($T x) { return TENON_FABS$F(x) < TENON_INFINITY$F; }

TENON_INLINE $T tenon_add_$N($T x, $T y) { return x + y; }

TENON_INLINE $T tenon_subtract_$N($T x, $T y) { return x - y; }

TENON_INLINE $T tenon_multiply_$N($T x, $T y) { return x * y; }

TENON_INLINE $T tenon_divide_$N($T x, $T y) { return x / y; }

/* NaN if either is NaN; -0 is below +0: equal operands differ at most in the sign of zero. */
TENON_INLINE $T tenon_minimum_$N($T x, $T y) {
  const $T equal = tenon_float_$N(tenon_bits_$N(x) | tenon_bits_$N(y));
  const $T least = x < y ? x : y;
  const $T ordered = x == y ? equal : least;
  return x == x ? ordered : x;
}

TENON_INLINE $T tenon_maximum_$N($T x, $T y) {
  const $T equal = tenon_float_$N(tenon_bits_$N(x) & tenon_bits_$N(y));
  const $T greatest = x > y ? x : y;
  const $T ordered = x == y ? equal : greatest;
  return x == x ? ordered : x;
}

/* numerator / (denominator + rest), |rest| far below: what the division leaves is added back. */
TENON_INLINE $T tenon_quotient_$N($T numerator, $T denominator, $T rest) {
  const $T reciprocal = 1 / denominator;
  const $T quotient = numerator * reciprocal;
  const $T left = tenon_fma_$N(-quotient, denominator, numerator);
  return tenon_fma_$N(tenon_fma_$N(-quotient, rest, left), reciprocal, quotient);
}

/* C's fmod: long division of the integer fractions, as many bits at a time as 64 hold. */
TENON_OUTLINE $T tenon_remainder_$N($T x, $T y) {
  const int fraction_bits = $B == 32 ? 23 : 52;
  const uint64_t unit = 1ull << fraction_bits;
  const uint64_t x_bits = tenon_bits_$N(TENON_FABS$F(x));
  const uint64_t y_bits = tenon_bits_$N(TENON_FABS$F(y));
  if (x != x || y != y || y == 0 || TENON_FABS$F(x) == TENON_INFINITY$F) return TENON_NAN$F;
  if (x_bits < y_bits) return x;
  int x_exponent = (int)(x_bits >> fraction_bits);
  int y_exponent = (int)(y_bits >> fraction_bits);
  uint64_t rest = x_bits & (unit - 1);
  uint64_t divisor = y_bits & (unit - 1);
  if (x_exponent == 0) x_exponent = 1; else rest += unit;
  if (y_exponent == 0) y_exponent = 1; else divisor += unit;
  rest %= divisor;
  int missing = x_exponent - y_exponent;
  while (missing > 0 && rest != 0) {
    const int step = missing < 63 - fraction_bits ? missing : 63 - fraction_bits;
    rest = (rest << step) % divisor;
    missing -= step;
  }
  if (rest == 0) return TENON_COPYSIGN$F(($T)0, x);
  int shift = TENON_LEADING_ZEROS(rest) - (63 - fraction_bits);
  if (shift > y_exponent - 1) shift = y_exponent - 1;
  const uint64_t bits = (rest << shift) + ((uint64_t)(y_exponent - shift - 1) << fraction_bits);
  return TENON_COPYSIGN$F(tenon_float_$N(($U)bits), x);
}

)c";

}  // namespace

std::string exact_function_text() {
  std::string text(kOfBool);
  for (const DType dtype : kAllDTypes) {
    if (is_narrow_float(dtype)) continue;
    text += spell_for(dtype, kComparisons);
    if (is_integer(dtype)) text += spell_for(dtype, kOfIntegers);
    if (is_signed(dtype)) text += spell_for(dtype, kOfSigned);
    if (is_unsigned(dtype)) text += spell_for(dtype, kOfUnsigned);
    if (is_float(dtype)) text += spell_for(dtype, kOfFloats);
  }
  return text;
}

}  // namespace tenon::codegen

#include "tenon/kernel/index_arithmetic.h"

#include <algorithm>

namespace tenon::kernel {

std::optional<std::int64_t> fold_integers(ScalarFunction function, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  const bool divides = b != 0 && b != -1;
  // Only index arithmetic is worth folding, so this one switch is not exhaustive by intent.
  if (function == ScalarFunction::add) return static_cast<std::int64_t>(x + y);
  if (function == ScalarFunction::subtract) return static_cast<std::int64_t>(x - y);
  if (function == ScalarFunction::multiply) return static_cast<std::int64_t>(x * y);
  if (function == ScalarFunction::divide && divides) return a / b;
  if (function == ScalarFunction::remainder && divides) return a % b;
  if (function == ScalarFunction::minimum) return std::min(a, b);
  if (function == ScalarFunction::maximum) return std::max(a, b);
  if (function == ScalarFunction::equal) return a == b;
  if (function == ScalarFunction::not_equal) return a != b;
  if (function == ScalarFunction::less) return a < b;
  if (function == ScalarFunction::less_equal) return a <= b;
  if (function == ScalarFunction::greater) return a > b;
  if (function == ScalarFunction::greater_equal) return a >= b;
  return std::nullopt;
}

}  // namespace tenon::kernel

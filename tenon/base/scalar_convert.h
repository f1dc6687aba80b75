// Converting one element to another element type: the meaning of `cast` (docs/semantics.md).
#pragma once
#include <cmath>
#include <limits>
#include <type_traits>

#include "tenon/base/dtype.h"

namespace tenon {

// Float to integer truncates, saturates at the ends and maps NaN to 0; integer to integer wraps;
// anything to bool is "not equal to zero"; to f16/bf16 goes through f32, to nearest even.
template <Element To, Element From>
To convert_element(From value) {
  constexpr bool from_narrow = std::is_same_v<From, Float16> || std::is_same_v<From, BFloat16>;
  if constexpr (from_narrow) {
    if constexpr (std::is_same_v<From, To>) return value;
    return convert_element<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, Float16> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(value)) return To{0};
    const From whole = std::trunc(value);
    const From below = static_cast<From>(std::numeric_limits<To>::min());
    const From above = std::ldexp(From{1}, std::numeric_limits<To>::digits);  // max + 1, exact
    if (whole < below) return std::numeric_limits<To>::min();
    if (whole >= above) return std::numeric_limits<To>::max();
    return static_cast<To>(whole);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace tenon

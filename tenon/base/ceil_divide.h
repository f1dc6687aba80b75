// Division that rounds up.
#pragma once
#include <cstdint>

namespace tenon {

// The least whole number that is not below a / b, of a >= 0 and b > 0.
constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace tenon

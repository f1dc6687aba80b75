// Numbers at which scalar functions and conversions are tested, and when two results agree.
#pragma once
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <type_traits>
#include <vector>

#include "tenon/base/host_tensor.h"

namespace tenon::codegen {

// Every value of an 8-bit type or bool; ends, powers of two and their neighbours of a wider one.
template <class T>
std::vector<T> interesting_values() {
  if constexpr (std::is_same_v<T, bool>) {
    return {};
  } else if constexpr (std::is_floating_point_v<T>) {
    using Limits = std::numeric_limits<T>;
    std::vector<T> values = {0,
                             Limits::denorm_min(),
                             Limits::min(),
                             Limits::max(),
                             Limits::epsilon(),
                             Limits::infinity(),
                             1,
                             2,
                             3,
                             4,
                             5,
                             8};
    for (const double value : {0.1,
                               0.25,
                               0.5,
                               0.75,
                               0.99,
                               1.5,
                               2.5,
                               3.5,
                               6.28,
                               7.9,
                               88.7,
                               127.5,
                               128.0,
                               255.0,
                               255.5,
                               256.0,
                               709.7,
                               1e4,
                               8388607.5,
                               16777215.0,
                               1e9,
                               2147483520.0,
                               2147483647.0,
                               2147483648.0,
                               4294967040.0,
                               4294967295.5,
                               4294967296.0,
                               9e15,
                               9223371487098961920.0,
                               9223372036854774784.0,
                               9223372036854775808.0,
                               18446744073709549568.0,
                               18446744073709551616.0,
                               1e22,
                               1e-3,
                               1e-8,
                               1e-30,
                               65504.0,
                               65519.99,
                               65520.0,
                               6e-8,
                               2.98e-8})
      values.push_back(static_cast<T>(value));
    const std::size_t positive = values.size();
    for (std::size_t i = 0; i < positive; ++i) values.push_back(-values[i]);
    values.push_back(Limits::quiet_NaN());
    return values;
  } else {
    std::set<T> values;
    const int width = std::numeric_limits<std::make_unsigned_t<T>>::digits;
    for (const int bit : {0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 30, 31, 32, 33, 62, 63})
      for (int offset = -1; offset <= 1 && bit < width; ++offset) {
        const auto power = static_cast<std::make_unsigned_t<T>>(std::uint64_t{1} << bit);
        values.insert(static_cast<T>(power + static_cast<std::make_unsigned_t<T>>(offset)));
        values.insert(static_cast<T>(-power + static_cast<std::make_unsigned_t<T>>(offset)));
      }
    if (width == 8)
      for (int value = 0; value < 256; ++value) values.insert(static_cast<T>(value));
    return {values.begin(), values.end()};
  }
}

template <class T>
HostTensor interesting_tensor() {
  if constexpr (std::is_same_v<T, bool>) {
    return make_tensor<bool>({2}, {false, true});
  } else {
    const std::vector<T> values = interesting_values<T>();
    return make_tensor<T>({static_cast<std::int64_t>(values.size())}, std::span<const T>(values));
  }
}

// Equal bits, or both NaN, or, unless exact, within 4 units in the last place.
template <class T>
bool agree(T found, T expected, bool exact) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(expected) || std::isnan(found)) return std::isnan(expected) && std::isnan(found);
    if (!exact && std::isfinite(expected) && expected != 0 && std::isfinite(found)) {
      const double unit = std::abs(std::nextafter(expected, T{0}) - expected);
      return std::abs(static_cast<double>(found) - static_cast<double>(expected)) <= 4 * unit;
    }
  }
  return std::memcmp(&found, &expected, sizeof(T)) == 0;
}

}  // namespace tenon::codegen

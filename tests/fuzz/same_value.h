// Bit equality of tensors in which every NaN equals every other.
#pragma once
#include <cmath>
#include <cstring>
#include <string>

#include "tenon/base/host_tensor.h"

namespace tenon::testing {

template <class T>
bool same_element(T a, T b) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
    return a == b || (std::isnan(static_cast<float>(a)) && std::isnan(static_cast<float>(b)));
  } else {
    if constexpr (std::is_floating_point_v<T>)
      if (std::isnan(a) && std::isnan(b)) return true;
    return std::memcmp(&a, &b, sizeof(T)) == 0;
  }
}

// Empty if equal; otherwise where they first differ.
inline std::string difference(const HostTensor& a, const HostTensor& b) {
  if (a.type() != b.type()) return fmt::format("types {} and {}", a.type(), b.type());
  return with_element_type(a.dtype(), [&]<class T>(TypeTag<T>) -> std::string {
    const auto x = a.as<T>();
    const auto y = b.as<T>();
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!same_element(x[i], y[i]))
        return fmt::format("{} at element {}: {} and {}", a.type(), i,
                           element_as_double(a, static_cast<std::int64_t>(i)),
                           element_as_double(b, static_cast<std::int64_t>(i)));
    return {};
  });
}

inline std::string difference(const std::vector<HostTensor>& a, const std::vector<HostTensor>& b) {
  if (a.size() != b.size()) return fmt::format("{} and {} tensors", a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const std::string text = difference(a[i], b[i]); !text.empty())
      return fmt::format("output {}: {}", i, text);
  return {};
}

}  // namespace tenon::testing

#include "tenon/data/finite.h"

#include <algorithm>
#include <cmath>

#include "tenon/base/scalar_convert.h"

namespace tenon::data {
namespace {

[[noreturn]] void refuse_number(const std::string& place, std::int64_t number, double value) {
  throw UserError(fmt::format("{}: number {} is {}; only finite numbers can be trained with", place,
                              number, value));
}

}  // namespace

std::optional<std::int64_t> first_not_finite(const HostTensor& tensor) {
  if (!is_float(tensor.dtype())) return std::nullopt;
  std::optional<std::int64_t> place;
  with_element_type(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    const std::span<const T> values = tensor.as<T>();
    const auto found = std::ranges::find_if(
        values, [](T value) { return !std::isfinite(convert_element<double>(value)); });
    if (found != values.end()) place = found - values.begin();
  });
  return place;
}

void require_finite(const HostTensor& sample, const std::string& place) {
  if (const std::optional<std::int64_t> number = first_not_finite(sample)) [[unlikely]]
    refuse_number(place, *number, element_as_double(sample, *number));
}

void require_finite_rows(const HostTensor& samples, const std::string& place, const char* what) {
  const std::optional<std::int64_t> number = first_not_finite(samples);
  if (!number) return;
  const std::int64_t width = samples.size() / samples.shape().front();  // there is a number
  refuse_number(fmt::format("{}: {} {}", place, what, *number / width), *number % width,
                element_as_double(samples, *number));
}

}  // namespace tenon::data

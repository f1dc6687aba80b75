#include <cmath>

#include "tenon/base/error.h"
#include "tenon/models/catalog_entries.h"

namespace tenon::models {
namespace {

constexpr double kMostExact = 0x1p53;  // doubles hold every whole number up to here

std::int64_t whole_number(const PartName& part, std::string_view option, double value,
                          std::int64_t low, std::int64_t high) {
  const bool is_whole = std::abs(value) <= kMostExact && value == std::floor(value);
  require(is_whole && static_cast<std::int64_t>(value) >= low &&
              static_cast<std::int64_t>(value) <= high,
          "model {}: {} must be a whole number from {} to {}, got {}", part.name(), option, low,
          high, value);
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::int64_t whole_option(PartName& part, std::string_view option, std::int64_t otherwise,
                          std::int64_t low, std::int64_t high) {
  return whole_number(part, option, part.number(option, static_cast<double>(otherwise)), low, high);
}

std::vector<std::int64_t> whole_options(PartName& part, std::string_view option,
                                        std::vector<std::int64_t> otherwise) {
  constexpr std::int64_t kMost = 1 << 24;
  constexpr std::size_t kMostNumbers = 1000;
  const std::vector<double> values = part.numbers(option);
  if (values.empty()) return otherwise;
  if (values.size() == 1 && values[0] == 0) return {};
  require(values.size() <= kMostNumbers, "model {}: {} takes at most {} numbers, got {}",
          part.name(), option, kMostNumbers, values.size());
  std::vector<std::int64_t> numbers;
  for (const double value : values) numbers.push_back(whole_number(part, option, value, 1, kMost));
  return numbers;
}

bool flag_option(PartName& part, std::string_view option, bool otherwise) {
  return whole_option(part, option, otherwise ? 1 : 0, 0, 1) == 1;
}

double number_option(PartName& part, std::string_view option, double otherwise, double low,
                     double high) {
  const double value = part.number(option, otherwise);
  require(value >= low && value <= high, "model {}: {} must be from {} to {}, got {}", part.name(),
          option, low, high, value);
  return value;
}

void require_numbers(const PartName& part, const Request& request) {
  require(is_float(request.sample.dtype) || request.sample.dtype == DType::u8,
          "{} takes numbers, the data's samples are {}", part.name(), request.sample);
}

void require_no_activation(const PartName& part, const Request& request) {
  require(!request.activation, "{} has activations of its own; {} cannot be chosen", part.name(),
          nn::name(request.activation.value_or(nn::linear)));
}

}  // namespace tenon::models

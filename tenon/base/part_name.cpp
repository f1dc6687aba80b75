#include "tenon/base/part_name.h"

#include <charconv>
#include <cmath>

#include "tenon/base/error.h"
#include "tenon/base/text.h"

namespace tenon {
namespace {

bool read_finite(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

}  // namespace

PartName::PartName(std::string_view what, std::string_view text) : what_(what), text_(text) {
  const std::vector<std::string_view> pieces = split(text, ':');
  name_ = pieces[0];
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const std::size_t sign = pieces[i].find('=');
    require(sign != std::string_view::npos && sign > 0,
            "{} {}: expected option=number after each colon, got {}", what_, in_quotes(text),
            in_quotes(pieces[i]));
    Option option{std::string(pieces[i].substr(0, sign)), std::string(pieces[i].substr(sign + 1)),
                  false};
    for (const Option& other : options_)
      require(other.name != option.name, "{} {}: {} is given twice", what_, in_quotes(text),
              option.name);
    options_.push_back(std::move(option));
  }
}

PartName::Option* PartName::read(std::string_view option) {
  known_.emplace_back(option);
  for (Option& given : options_) {
    if (given.name != option) continue;
    given.is_read = true;
    return &given;
  }
  return nullptr;
}

std::vector<double> PartName::numbers(std::string_view option) {
  std::vector<double> values;
  const Option* given = read(option);
  if (given == nullptr) return values;
  for (const std::string_view number : split(given->value, '/')) {
    double value = 0;
    require(read_finite(number, value), "{} {}: {} must be a number, got {}", what_,
            in_quotes(text_), option, in_quotes(number));
    values.push_back(value);
  }
  return values;
}

double PartName::number(std::string_view option, double otherwise) {
  const std::vector<double> values = numbers(option);
  require(values.size() <= 1, "{} {}: {} takes one number, got {}", what_, in_quotes(text_), option,
          values.size());
  return values.empty() ? otherwise : values[0];
}

std::optional<std::string> PartName::word(std::string_view option) {
  const Option* given = read(option);
  if (given == nullptr) return std::nullopt;
  return given->value;
}

void PartName::require_all_read() const {
  for (const Option& option : options_)
    require(option.is_read, "{} {}: unknown option {}; {}{}", what_, in_quotes(text_),
            in_quotes(option.name),
            known_.empty() ? fmt::format("{} has none", name_)
                           : fmt::format("known: {}", join(known_, ", ")),
            did_you_mean(option.name, known_));
}

}  // namespace tenon

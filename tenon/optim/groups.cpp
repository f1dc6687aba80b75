#include "tenon/optim/groups.h"

#include <charconv>
#include <cmath>

#include "tenon/base/error.h"
#include "tenon/base/text.h"

namespace tenon::optim {

double parse_finite(std::string_view text, std::string_view what) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
          "{}: expected a finite number, got {}", what, in_quotes(text));
  return value;
}

RateFactor parse_rate_factor(std::string_view text) {
  const std::size_t sign = text.rfind('=');
  require(sign != std::string_view::npos && sign > 0,
          "expected PATTERN=FACTOR, as in \"embedding/*=0.1\", got {}", in_quotes(text));
  RateFactor rate{std::string(text.substr(0, sign)),
                  parse_finite(text.substr(sign + 1), in_quotes(text))};
  require(contains(Range::not_negative, rate.factor), "{}: the factor must be {}, got {}",
          in_quotes(text), description(Range::not_negative), rate.factor);
  return rate;
}

std::string text_of(const RateFactor& rate) {
  return fmt::format("{}={}", rate.pattern, rate.factor);
}

std::string parse_pattern(std::string_view text) {
  require(!text.empty(), "expected a pattern of names, as in \"*/bias\", got nothing");
  return std::string(text);
}

}  // namespace tenon::optim

#include "tenon/optim/hyperparameter.h"

#include <cmath>

#include "tenon/base/error.h"

namespace tenon::optim {

bool contains(Range range, double value) {
  if (!std::isfinite(value)) return false;
  switch (range) {
    case Range::any: return true;
    case Range::positive: return value > 0;
    case Range::not_negative: return value >= 0;
    case Range::fraction: return value >= 0 && value < 1;
    case Range::above_one: return value > 1;
  }
  return false;
}

std::string_view description(Range range) {
  switch (range) {
    case Range::any: return "finite";
    case Range::positive: return "finite and above 0";
    case Range::not_negative: return "finite and 0 or more";
    case Range::fraction: return "in [0, 1)";
    case Range::above_one: return "finite and above 1";
  }
  return "";
}

void RangeCheck::operator()(std::string_view name, double& value, Range range) {
  require(contains(range, value), "{}: {} must be {}, got {}", owner_, name, description(range),
          value);
}

void RangeCheck::operator()(std::string_view name, std::int64_t& value, std::int64_t least) {
  require(value >= least, "{}: {} must be {} or more, got {}", owner_, name, least, value);
}

void RangeCheck::operator()(std::string_view name, TextList& value) {
  try {
    value.set(value.texts());
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}: {}", owner_, name, error.what()));
  }
}

}  // namespace tenon::optim

#include "tenon/optim/plateau.h"

#include <algorithm>
#include <cmath>

#include "tenon/base/error.h"

namespace tenon::optim {

void Plateau::observe(double value) {
  const bool is_first = std::isinf(best) && value < best;
  if (is_first || value < best - threshold * std::abs(best)) {
    best = value;
    values_since_best = 0;
  } else {
    ++values_since_best;
  }
  if (cooldown_left > 0) {
    --cooldown_left;
    values_since_best = 0;
  }
  if (values_since_best <= patience) return;
  factor_now = std::min(factor_now, std::max(factor_now * reduction, end));
  cooldown_left = cooldown;
  values_since_best = 0;
}

std::vector<double> Plateau::state() const {
  return {factor_now, best, static_cast<double>(values_since_best),
          static_cast<double>(cooldown_left)};
}

void Plateau::restore(std::span<const double> state) {
  constexpr double kMostValues = 0x1p53;
  const auto is_count = [](double x) { return x >= 0 && x <= kMostValues && x == std::floor(x); };
  require(state.size() == 4 && state[0] >= 0 && state[0] <= 1 && !std::isnan(state[1]) &&
              is_count(state[2]) && is_count(state[3]),
          "schedule plateau: the state is not one that it was saved with");
  factor_now = state[0];
  best = state[1];
  values_since_best = static_cast<std::int64_t>(state[2]);
  cooldown_left = static_cast<std::int64_t>(state[3]);
}

void Plateau::fields(ScheduleVisitor& visit) {
  visit("reduction", reduction, Range::fraction);
  visit("patience", patience, 0);
  visit("threshold", threshold, Range::not_negative);
  visit("cooldown", cooldown, 0);
  visit("end", end, Range::not_negative);
}

}  // namespace tenon::optim

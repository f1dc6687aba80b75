// Plateau: a schedule that lowers the learning rate where the loss no longer falls.
#pragma once
#include <limits>

#include "tenon/optim/schedule.h"

namespace tenon::optim {

// The factor begins at 1 and is multiplied with `reduction`, down to `end`, when more than
// `patience` observed values in a row were not better than the best one, that is, not below
// best - threshold * |best|; then so many values as `cooldown` says do not count. PyTorch's
// ReduceLROnPlateau with mode "min" and a relative threshold; for a metric that should grow,
// observe its negative, which is mode "max".
struct Plateau {
  static constexpr std::string_view kKind = "plateau";
  double reduction = 0.1;
  std::int64_t patience = 10;
  double threshold = 1e-4;
  std::int64_t cooldown = 0;
  double end = 0;

  double factor(std::int64_t) const { return factor_now; }
  // One value, usually at the end of an epoch. One that is not a number is not better.
  void observe(double value);
  // Four numbers; `restore` raises UserError for numbers that `state` cannot have given.
  std::vector<double> state() const;
  void restore(std::span<const double> state);
  void fields(ScheduleVisitor& visit);

  // Where it stands.
  double factor_now = 1;
  double best = std::numeric_limits<double>::infinity();
  std::int64_t values_since_best = 0;
  std::int64_t cooldown_left = 0;
};

}  // namespace tenon::optim

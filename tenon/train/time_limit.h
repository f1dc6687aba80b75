// TimeLimit: a callback that ends a fit when its time is up.
#pragma once
#include <chrono>

#include "tenon/train/events.h"

namespace tenon {

// Looks at the clock after each step, and while one is compiled: a step that runs is finished and
// saved, validation of an epoch that it ends included; a compile is given up. Time counts from the
// beginning of the fit, compiling included; a run that goes on gets it anew.
class TimeLimit final : public Callback {
 public:
  using Clock = std::chrono::steady_clock;
  // UserError unless seconds are above 0 and finite.
  explicit TimeLimit(double seconds);
  void on_fit_begin(Trainer& trainer) override;
  bool wants_to_stop() override;
  // Whether the last fit was ended by it.
  bool is_reached() const { return is_reached_; }

 private:
  double seconds_;
  Clock::time_point began_{};
  bool is_reached_ = false;
};

}  // namespace tenon

#include "tenon/train/time_limit.h"

#include <cmath>

#include "tenon/base/error.h"

namespace tenon {

TimeLimit::TimeLimit(double seconds) : seconds_(seconds) {
  require(std::isfinite(seconds) && seconds > 0,
          "TimeLimit: a number of seconds above 0 expected, got {}", seconds);
}

void TimeLimit::on_fit_begin(Trainer&) {
  began_ = Clock::now();
  is_reached_ = false;
}

bool TimeLimit::wants_to_stop() {
  is_reached_ = std::chrono::duration<double>(Clock::now() - began_).count() >= seconds_;
  return is_reached_;
}

}  // namespace tenon

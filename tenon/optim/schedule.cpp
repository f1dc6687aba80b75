#include "tenon/optim/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "tenon/base/error.h"
#include "tenon/base/unknown_name.h"
#include "tenon/optim/plateau.h"

namespace tenon::optim {
namespace {

double quotient(std::int64_t a, std::int64_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

// From `start` at 0 to `end` at 1 along half a cosine.
double along_cosine(double start, double end, double part) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

class ScheduleCheck final : public ScheduleVisitor {
 public:
  explicit ScheduleCheck(std::string_view kind) : owner_(fmt::format("schedule {}", kind)) {}
  void operator()(std::string_view name, double& value, Range range) override {
    RangeCheck check(owner_);
    check(name, value, range);
  }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t least) override {
    require(value >= least, "{}: {} must be {} or more, got {}", owner_, name, least, value);
  }

 private:
  std::string owner_;
};

template <class S>
constexpr ScheduleKind schedule_kind_of() {
  return {S::kKind, [](std::int64_t warmup_steps) { return Schedule(S{}, warmup_steps); }};
}

constexpr std::array kScheduleKinds = {
    schedule_kind_of<Constant>(),    schedule_kind_of<StepDecay>(),
    schedule_kind_of<Exponential>(), schedule_kind_of<Polynomial>(),
    schedule_kind_of<Cosine>(),      schedule_kind_of<OneCycle>(),
    schedule_kind_of<Cyclical>(),    schedule_kind_of<InverseSquareRoot>(),
    schedule_kind_of<Plateau>(),
};

}  // namespace

double StepDecay::factor(std::int64_t t) const {
  const std::int64_t falls = t / every;
  return std::pow(reduction, static_cast<double>(falls));
}
void StepDecay::fields(ScheduleVisitor& visit) {
  visit("every", every, 1);
  visit("reduction", reduction, Range::positive);
}

double Exponential::factor(std::int64_t t) const { return std::pow(reduction, quotient(t, every)); }
void Exponential::fields(ScheduleVisitor& visit) {
  visit("every", every, 1);
  visit("reduction", reduction, Range::positive);
}

double Polynomial::factor(std::int64_t t) const {
  return end + (1 - end) * std::pow(1 - quotient(std::min(t, steps), steps), power);
}
void Polynomial::fields(ScheduleVisitor& visit) {
  visit("steps", steps, 1);
  visit("power", power, Range::positive);
  visit("end", end, Range::not_negative);
}

double Cosine::factor(std::int64_t t) const {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t length = steps;
  if (cycle_growth == 1) {
    t %= steps;
  } else if (cycle_growth > 1) {
    while (t >= length) {
      t -= length;
      length = length > kMost / cycle_growth ? kMost : length * cycle_growth;
    }
  }
  return along_cosine(1, end, quotient(std::min(t, length), length));
}
void Cosine::fields(ScheduleVisitor& visit) {
  visit("steps", steps, 1);
  visit("end", end, Range::not_negative);
  visit("cycle_growth", cycle_growth, 0);
}

double OneCycle::factor(std::int64_t t) const {
  const double start = 1 / start_divisor;
  const auto now = static_cast<double>(t), count = static_cast<double>(steps);
  const double top = rising * count - 1;  // the step of the full rate, which may be between two
  if (now <= top) return along_cosine(start, 1, top > 0 ? now / top : 1);
  return along_cosine(1, start / end_divisor, std::min(1.0, (now - top) / (count - 1 - top)));
}
void OneCycle::fields(ScheduleVisitor& visit) {
  visit("steps", steps, 1);
  visit("rising", rising, Range::fraction);
  visit("start_divisor", start_divisor, Range::positive);
  visit("end_divisor", end_divisor, Range::positive);
}

double InverseSquareRoot::factor(std::int64_t t) const {
  const auto scale = static_cast<double>(timescale);
  return std::sqrt(scale / (scale + static_cast<double>(t)));
}
void InverseSquareRoot::fields(ScheduleVisitor& visit) { visit("timescale", timescale, 1); }

double Cyclical::factor(std::int64_t t) const {
  const auto rising = static_cast<double>(rising_steps);
  const auto falling = static_cast<double>(falling_steps);
  const double step = static_cast<double>(t), now = std::fmod(step, rising + falling);
  const double done = (step - now) / (rising + falling);
  const double height = now <= rising ? now / rising : (rising + falling - now) / falling;
  return low + (1 - low) * std::max(0.0, height) * std::pow(reduction, done);
}
void Cyclical::fields(ScheduleVisitor& visit) {
  visit("rising_steps", rising_steps, 1);
  visit("falling_steps", falling_steps, 1);
  visit("low", low, Range::fraction);
  visit("reduction", reduction, Range::positive);
}

void Schedule::require_no_state(std::span<const double> state) {
  require(state.empty(), "a schedule that observes nothing has no state, got {} numbers",
          state.size());
}

Schedule::Schedule(std::shared_ptr<Interface> rule, std::int64_t warmup_steps)
    : rule_(std::move(rule)), warmup_steps_(warmup_steps) {
  ScheduleCheck check(kind());
  rule_->fields(check);
  check("warmup_steps", warmup_steps_, 0);
}

double Schedule::rate(std::int64_t step, double learning_rate) const {
  const double full =
      learning_rate * rule_->factor(std::max<std::int64_t>(0, step - warmup_steps_));
  return step < warmup_steps_ ? full * quotient(step + 1, warmup_steps_) : full;
}

std::span<const ScheduleKind> schedule_kinds() { return kScheduleKinds; }

Schedule make_schedule(std::string_view kind, std::int64_t warmup_steps) {
  std::vector<std::string_view> known;
  for (const ScheduleKind& each : kScheduleKinds) {
    if (each.kind == kind) return each.make(warmup_steps);
    known.push_back(each.kind);
  }
  throw_unknown("schedule", kind, known);
}

}  // namespace tenon::optim

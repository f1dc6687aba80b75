// Schedules: plain structs that give the learning rate of each step, evaluated on the host.
#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/optim/hyperparameter.h"

namespace tenon::optim {

class ScheduleVisitor {
 public:
  virtual ~ScheduleVisitor() = default;
  virtual void operator()(std::string_view name, double& value, Range range) = 0;
  // A whole number from `least` on.
  virtual void operator()(std::string_view name, std::int64_t& value, std::int64_t least) = 0;
};

// What the optimizer's learning rate is multiplied with at step t, which counts from 0 and from the
// end of the warm-up. A schedule of one's own is such a struct.
template <class S>
concept ScheduleRule = std::copy_constructible<S> &&
    requires(S rule, std::int64_t t, ScheduleVisitor& visitor) {
  { S::kKind } -> std::convertible_to<std::string_view>;
  { std::as_const(rule).factor(t) } -> std::convertible_to<double>;
  rule.fields(visitor);
};

struct Constant {
  static constexpr std::string_view kKind = "constant";
  double factor(std::int64_t) const { return 1; }
  void fields(ScheduleVisitor&) {}
};

// reduction^floor(t / every).
struct StepDecay {
  static constexpr std::string_view kKind = "step";
  std::int64_t every = 1000;
  double reduction = 0.1;
  double factor(std::int64_t t) const;
  void fields(ScheduleVisitor& visit);
};

// reduction^(t / every).
struct Exponential {
  static constexpr std::string_view kKind = "exponential";
  std::int64_t every = 1000;
  double reduction = 0.5;
  double factor(std::int64_t t) const;
  void fields(ScheduleVisitor& visit);
};

// end + (1 - end) * (1 - t / steps)^power; then `end`.
struct Polynomial {
  static constexpr std::string_view kKind = "polynomial";
  std::int64_t steps = 1000;
  double power = 1;
  double end = 0;
  double factor(std::int64_t t) const;
  void fields(ScheduleVisitor& visit);
};

// end + (1 - end) * (1 + cos(pi * t / steps)) / 2; then `end`, or with a cycle_growth above 0 again
// from 1, each cycle so many times as long as the one before: Loshchilov, Hutter, "SGDR", 2017.
struct Cosine {
  static constexpr std::string_view kKind = "cosine";
  std::int64_t steps = 1000;
  double end = 0;
  std::int64_t cycle_growth = 0;
  double factor(std::int64_t t) const;
  void fields(ScheduleVisitor& visit);
};

// From 1 / start_divisor by a cosine to 1 and on to 1 / (start_divisor * end_divisor): Smith,
// Topin, "Super-convergence", 2018, as PyTorch's OneCycleLR.
struct OneCycle {
  static constexpr std::string_view kKind = "one_cycle";
  std::int64_t steps = 1000;
  double rising = 0.3;  // part of the steps
  double start_divisor = 25;
  double end_divisor = 1e4;
  double factor(std::int64_t t) const;
  void fields(ScheduleVisitor& visit);
};

// sqrt(timescale / (timescale + t)). After a warm-up of `timescale` steps it is the schedule of
// Vaswani et al. 2017, "Attention is all you need"; Zhai et al. 2022, "Scaling vision
// transformers".
struct InverseSquareRoot {
  static constexpr std::string_view kKind = "inverse_square_root";
  std::int64_t timescale = 10000;
  double factor(std::int64_t t) const;
  void fields(ScheduleVisitor& visit);
};

// From `low` to 1 and back in straight lines, again and again; the height above `low` is so many
// times that of the cycle before: Smith 2017, "Cyclical learning rates", as PyTorch's CyclicLR
// (reduction 1: triangular, 0.5: triangular2).
struct Cyclical {
  static constexpr std::string_view kKind = "cyclical";
  std::int64_t rising_steps = 2000;
  std::int64_t falling_steps = 2000;
  double low = 0.1;
  double reduction = 1;
  double factor(std::int64_t t) const;
  void fields(ScheduleVisitor& visit);
};

// A schedule that goes by what training tells: Plateau in tenon/optim/plateau.h.
template <class S>
concept ObservingRule = ScheduleRule<S> &&
    requires(S rule, double value, std::span<const double> state) {
  rule.observe(value);
  { std::as_const(rule).state() } -> std::same_as<std::vector<double>>;
  rule.restore(state);
};

// Any schedule, with a warm-up before it: the rate rises by equal amounts over warmup_steps, of
// which the last has the whole rate. By itself it keeps the rate as it is.
class Schedule {
 public:
  Schedule() : Schedule(Constant{}) {}
  // UserError for a number out of its range.
  template <class S>
  requires(!std::same_as<S, Schedule>) && ScheduleRule<S> Schedule(S rule,
                                                                   std::int64_t warmup_steps = 0)
      : Schedule(std::make_shared<Model<S>>(std::move(rule)), warmup_steps) {}

  // The learning rate of a step, counted from 0; allocates nothing.
  double rate(std::int64_t step, double learning_rate) const;
  std::string_view kind() const { return rule_->kind(); }
  std::int64_t warmup_steps() const { return warmup_steps_; }
  // The same numbers, with a state of its own; copies share theirs.
  Schedule clone() const { return Schedule(rule_->copy(), warmup_steps_); }

  // Whether it goes by what it observes. A Trainer tells it the validation loss (without validation
  // the training loss) at the end of each epoch; a loop of one's own calls `observe`.
  bool is_observing() const { return rule_->is_observing(); }
  void observe(double value) { rule_->observe(value); }
  // What a checkpoint keeps of it; empty unless it is observing. UserError for a state that is none
  // of its own.
  std::vector<double> state() const { return rule_->state(); }
  void restore(std::span<const double> state) { rule_->restore(state); }

  // Whether it leaves every rate as it is.
  bool is_constant() const { return warmup_steps_ == 0 && kind() == Constant::kKind; }
  // Of the rule, which copies of this share.
  void fields(ScheduleVisitor& visitor) const { rule_->fields(visitor); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual double factor(std::int64_t t) const = 0;
    virtual void fields(ScheduleVisitor& visitor) = 0;
    virtual std::string_view kind() const = 0;
    virtual bool is_observing() const = 0;
    virtual void observe(double value) = 0;
    virtual std::vector<double> state() const = 0;
    virtual void restore(std::span<const double> state) = 0;
    virtual std::shared_ptr<Interface> copy() const = 0;
  };
  template <class S>
  struct Model final : Interface {
    explicit Model(S s) : rule(std::move(s)) {}
    double factor(std::int64_t t) const override { return rule.factor(t); }
    void fields(ScheduleVisitor& visitor) override { rule.fields(visitor); }
    std::string_view kind() const override { return S::kKind; }
    bool is_observing() const override { return ObservingRule<S>; }
    void observe([[maybe_unused]] double value) override {
      if constexpr (ObservingRule<S>) rule.observe(value);
    }
    std::vector<double> state() const override {
      if constexpr (ObservingRule<S>)
        return rule.state();
      else
        return {};
    }
    void restore(std::span<const double> state) override {
      if constexpr (ObservingRule<S>)
        rule.restore(state);
      else
        require_no_state(state);
    }
    std::shared_ptr<Interface> copy() const override { return std::make_shared<Model>(rule); }
    S rule;
  };
  static void require_no_state(std::span<const double> state);
  Schedule(std::shared_ptr<Interface> rule, std::int64_t warmup_steps);
  std::shared_ptr<Interface> rule_;
  std::int64_t warmup_steps_ = 0;
};

// One of the schedules that have a name.
struct ScheduleKind {
  std::string_view kind;
  Schedule (*make)(std::int64_t warmup_steps);
};
std::span<const ScheduleKind> schedule_kinds();
// UserError listing the known kinds.
Schedule make_schedule(std::string_view kind, std::int64_t warmup_steps = 0);

}  // namespace tenon::optim

// What a running fit tells: progress for callbacks, at steps and epochs.
#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tenon {

class Trainer;

struct StepInfo {
  std::int64_t step = 0;           // since the run began, from 1
  std::int64_t epoch = 0;          // from 1
  std::int64_t step_in_epoch = 0;  // from 1
  std::int64_t steps_in_epoch = 0;
  std::int64_t total_epochs = 0;
  double loss = 0;                       // mean of this step's batch
  double seconds = 0;                    // of this step
  double mean_loss = 0;                  // of the epoch so far
  std::span<const double> mean_metrics;  // of the epoch so far, in the order of the options
};

struct EpochInfo {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  // since the run began
  std::int64_t total_epochs = 0;
  double loss = 0;
  std::vector<std::pair<std::string, double>> metrics;
  std::optional<double> validation_loss;
  std::vector<std::pair<std::string, double>> validation_metrics;
  double seconds = 0;
};

// Override what you need. Return false from a step or epoch to stop training.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_fit_begin(Trainer&) {}
  // The training step is compiled, no step has run: Trainer::cost() knows its memory.
  virtual void on_compiled(Trainer&) {}
  virtual bool on_step_end(Trainer&, const StepInfo&) { return true; }
  virtual bool on_epoch_end(Trainer&, const EpochInfo&) { return true; }
  virtual void on_fit_end(Trainer&) {}
};

// A callback in a list: a pointer to one that outlives the fit, or one that the list keeps.
class CallbackHandle {
 public:
  CallbackHandle(Callback* callback) : callback_(callback, [](Callback*) {}) {}
  template <std::derived_from<Callback> C>
  CallbackHandle(std::shared_ptr<C> callback) : callback_(std::move(callback)) {}
  operator Callback*() const { return callback_.get(); }

 private:
  std::shared_ptr<Callback> callback_;
};

}  // namespace tenon

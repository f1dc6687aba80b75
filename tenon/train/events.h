// What a running fit tells: progress for callbacks, at steps and epochs.
#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon {

class Trainer;
namespace data {
struct Batch;
}

// The numbers of the step that has just run; they are read from the device when they are asked for.
class StepValues {
 public:
  virtual ~StepValues() = default;
  virtual double loss() const = 0;
  virtual double mean_loss() const = 0;
  virtual std::span<const double> mean_metrics() const = 0;
  virtual data::Batch batch() const = 0;
};

struct StepInfo {
  std::int64_t step = 0;            // since the run began, from 1
  std::int64_t epoch = 0;           // from 1
  std::int64_t step_in_epoch = 0;   // from 1
  std::int64_t steps_in_epoch = 0;  // 0: not known, the stream says no size
  std::int64_t total_epochs = 0;
  std::optional<std::int64_t> steps_left;  // of the fit, if nothing stops it; none: not known
  double seconds = 0;                      // of this step
  double epoch_seconds = 0;                // since the epoch began
  double waiting = 0;                      // of those, for samples that were not made yet
  std::int64_t late_batches = 0;  // of the epoch so far: not made when their step asked for them
  bool is_streamed = false;       // the samples are made on the way
  const StepValues* values = nullptr;

  double loss() const { return values->loss(); }            // mean of this step's batch
  double mean_loss() const { return values->mean_loss(); }  // of the epoch so far
  // Of the epoch so far, in the order of the options; valid until the next step.
  std::span<const double> mean_metrics() const { return values->mean_metrics(); }
  // A copy of the samples and labels of this step, raw.
  data::Batch batch() const;
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
  double training = 0;                         // of those, for the steps, without validation
  double waiting = 0;                          // of those, for samples that were not made yet
  std::int64_t late_batches = 0;               // not made when their step asked for them
  bool is_streamed = false;                    // the samples are made on the way
  std::vector<std::string> falling_metrics{};  // those of which lower is better

  // "loss", a metric of the options, or one of the two with "validation_" in front. UserError,
  // listing the known ones, if there is none of that name.
  double value(std::string_view name) const;
  // Of such a name: losses, and metrics that say so (nn::Metric::is_lower_better).
  bool is_lower_better(std::string_view name) const;
};

// What a validation within an epoch found; those at the ends of epochs are in EpochInfo.
struct ValidationInfo {
  std::int64_t step = 0;  // since the run began
  double loss = 0;
  std::vector<std::pair<std::string, double>> metrics;
};

// Weights that a fit ends with in place of those of its last step.
struct FinalWeights {
  std::string file;         // .safetensors
  std::string description;  // for run.json: "of epoch 6, the best by validation_loss (0.25)"
};

// Override what you need. Return false from a step, a validation or an epoch to stop training.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_fit_begin(Trainer&) {}
  // The training step is compiled, no step has run: Trainer::cost() knows its memory.
  virtual void on_compiled(Trainer&) {}
  virtual bool on_step_end(Trainer&, const StepInfo&) { return true; }
  virtual bool on_validation_end(Trainer&, const ValidationInfo&) { return true; }
  virtual bool on_epoch_end(Trainer&, const EpochInfo&) { return true; }
  // Asked when the steps are over, before on_fit_end. The run folder's model then has these
  // weights; a run that goes on does so from the last step all the same.
  virtual std::optional<FinalWeights> final_weights() const { return {}; }
  virtual void on_fit_end(Trainer&) {}
  // What a run that goes on must know again: written with every checkpoint, given back by resume
  // before on_fit_begin. Those that keep something are told apart by their order in the list.
  virtual std::vector<double> state() const { return {}; }
  virtual void restore(std::span<const double>) {}
  // Asked before the first step: a run that this callback has ended is not gone on with.
  virtual bool is_done() const { return false; }
  // Asked after on_fit_begin, between steps and, every few milliseconds, while a step is compiled:
  // true ends the fit as FitOptions::stop does.
  virtual bool wants_to_stop() { return false; }
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

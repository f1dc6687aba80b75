// Ready-made callbacks that watch a value of the epochs: early stopping, best weights, checkpoints
// that are kept, a learning rate that falls on plateaus.
#pragma once
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tenon/train/events.h"

namespace tenon {

enum class Better : std::uint8_t {
  by_name,  // lower for losses and metrics that say so (nn::Metric::is_lower_better)
  lower,
  higher,
};

// A value as EpochInfo::value names it: "validation_loss", "accuracy".
struct Monitor {
  std::string name = "validation_loss";
  Better better = Better::by_name;
  double min_delta = 0;  // a value is better if it is so by more than this
};

// The best value so far. A value that is not a number is never better.
class BestValue {
 public:
  // UserError unless min_delta is a number from 0.
  explicit BestValue(Monitor monitor);
  // Whether this epoch is the best so far. UserError if the epoch has no such value.
  bool observe(const EpochInfo& info);
  const Monitor& monitor() const { return monitor_; }
  bool is_known() const { return is_known_; }
  double value() const { return value_; }
  std::int64_t epoch() const { return epoch_; }
  std::vector<double> state() const;
  void restore(std::span<const double> state);

 private:
  Monitor monitor_;
  bool is_known_ = false;
  double value_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t epoch_ = 0;
};

// Ends the fit after `patience` epochs in a row without a better value (Prechelt 1998), and tells
// TrainerOptions::log so.
class EarlyStopping final : public Callback {
 public:
  // UserError for a patience below 1.
  explicit EarlyStopping(Monitor monitor = {}, std::int64_t patience = 3);
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;
  bool is_done() const override { return epochs_without_ >= patience_; }
  const BestValue& best() const { return best_; }
  std::vector<double> state() const override;
  void restore(std::span<const double> state) override;

 private:
  BestValue best_;
  const std::int64_t patience_;
  std::int64_t epochs_without_ = 0;
};

// Saves the weights to a file (.safetensors) whenever the value is better than ever before.
class BestCheckpoint final : public Callback {
 public:
  // `restore_at_end`: the fit ends with the best weights in the trainer and in the model of the run
  // folder; with those of the last step if no epoch had a number.
  explicit BestCheckpoint(std::filesystem::path file, Monitor monitor = {},
                          bool restore_at_end = false);
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;
  std::optional<FinalWeights> final_weights() const override;
  const BestValue& best() const { return best_; }
  std::vector<double> state() const override { return best_.state(); }
  void restore(std::span<const double> state) override { best_.restore(state); }

 private:
  const std::filesystem::path file_;
  BestValue best_;
  const bool restores_;
};

// Saves a run folder `folder`/epoch-00012 after every epoch and keeps the last `count` of them.
class KeepCheckpoints final : public Callback {
 public:
  // UserError for a count below 1.
  KeepCheckpoints(std::filesystem::path folder, std::int64_t count);
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override;

 private:
  const std::filesystem::path folder_;
  const std::int64_t count_;
};

// Callbacks of one function, called at the end of every step or epoch; it returns false to stop
// training. UserError for an empty function.
std::shared_ptr<Callback> step_callback(std::function<bool(Trainer&, const StepInfo&)> on_step_end);
std::shared_ptr<Callback> epoch_callback(
    std::function<bool(Trainer&, const EpochInfo&)> on_epoch_end);

}  // namespace tenon

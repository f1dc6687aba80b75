#include "tenon/train/callbacks.h"

#include <algorithm>
#include <cmath>

#include "tenon/train/checkpoint.h"
#include "tenon/train/trainer.h"

namespace tenon {
namespace {

// Of one of the two functions.
class FunctionCallback final : public Callback {
 public:
  std::function<bool(Trainer&, const StepInfo&)> step;
  std::function<bool(Trainer&, const EpochInfo&)> epoch;
  bool on_step_end(Trainer& trainer, const StepInfo& info) override {
    return !step || step(trainer, info);
  }
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override {
    return !epoch || epoch(trainer, info);
  }
};

bool wants_lower(const Monitor& monitor, const EpochInfo& info) {
  if (monitor.better != Better::by_name) return monitor.better == Better::lower;
  return info.is_lower_better(monitor.name);
}

std::string epoch_folder(std::int64_t epoch) { return fmt::format("epoch-{:05}", epoch); }

}  // namespace

BestValue::BestValue(Monitor monitor) : monitor_(std::move(monitor)) {
  require(monitor_.min_delta >= 0 && std::isfinite(monitor_.min_delta),
          "monitor \"{}\": min_delta {}; a number from 0 expected", monitor_.name,
          monitor_.min_delta);
}

bool BestValue::observe(const EpochInfo& info) {
  const double value = info.value(monitor_.name);
  if (std::isnan(value)) return false;
  const double gain = wants_lower(monitor_, info) ? value_ - value : value - value_;
  if (is_known_ && !(gain > monitor_.min_delta)) return false;
  is_known_ = true;
  value_ = value;
  epoch_ = info.epoch;
  return true;
}

std::vector<double> BestValue::state() const {
  return {is_known_ ? 1.0 : 0.0, value_, static_cast<double>(epoch_)};
}

void BestValue::restore(std::span<const double> state) {
  require(state.size() >= 3, "the checkpoint has {} numbers of monitor \"{}\", 3 expected",
          state.size(), monitor_.name);
  is_known_ = state[0] != 0;
  value_ = state[1];
  epoch_ = static_cast<std::int64_t>(std::clamp(state[2], 0.0, 9e15));
}

EarlyStopping::EarlyStopping(Monitor monitor, std::int64_t patience)
    : best_(std::move(monitor)), patience_(patience) {
  require(patience >= 1, "EarlyStopping: a patience of {}; at least 1 expected", patience);
}

bool EarlyStopping::on_epoch_end(Trainer& trainer, const EpochInfo& info) {
  epochs_without_ = best_.observe(info) ? 0 : epochs_without_ + 1;
  if (!is_done()) return true;
  if (info.epoch < info.total_epochs && trainer.options().log) {
    const std::string best =
        best_.is_known() ? fmt::format("best {:.6g} in epoch {}", best_.value(), best_.epoch())
                         : "it was never a number";
    trainer.options().log(
        fmt::format("stopped early after epoch {} of {}: {} is no better for {} "
                    "epoch{}; {}",
                    info.epoch, info.total_epochs, best_.monitor().name, patience_,
                    patience_ == 1 ? "" : "s", best));
  }
  return false;
}

std::vector<double> EarlyStopping::state() const {
  std::vector<double> state = best_.state();
  state.push_back(static_cast<double>(epochs_without_));
  return state;
}

void EarlyStopping::restore(std::span<const double> state) {
  require(state.size() == 4, "the checkpoint has {} numbers of early stopping, 4 expected",
          state.size());
  best_.restore(state);
  epochs_without_ = static_cast<std::int64_t>(std::clamp(state[3], 0.0, 9e15));
}

BestCheckpoint::BestCheckpoint(std::filesystem::path file, Monitor monitor, bool restore_at_end)
    : file_(std::move(file)), best_(std::move(monitor)), restores_(restore_at_end) {
  require(!file_.empty(), "BestCheckpoint: no file is named");
}

bool BestCheckpoint::on_epoch_end(Trainer& trainer, const EpochInfo& info) {
  if (best_.observe(info)) trainer.save_weights(file_.string());
  return true;
}

std::optional<FinalWeights> BestCheckpoint::final_weights() const {
  if (!restores_ || !best_.is_known()) return {};
  return FinalWeights{file_.string(),
                      fmt::format("of epoch {}, the best by {} ({:.6g})", best_.epoch(),
                                  best_.monitor().name, best_.value())};
}

KeepCheckpoints::KeepCheckpoints(std::filesystem::path folder, std::int64_t count)
    : folder_(std::move(folder)), count_(count) {
  require(!folder_.empty(), "KeepCheckpoints: no folder is named");
  require(count >= 1, "KeepCheckpoints: {} checkpoints; at least 1 expected", count);
}

bool KeepCheckpoints::on_epoch_end(Trainer& trainer, const EpochInfo& info) {
  trainer.save((folder_ / epoch_folder(info.epoch)).string());
  // Only what this callback has written by the rule of its names.
  for (std::int64_t old = info.epoch - count_; old >= 1; --old) {
    const RunFiles files{folder_ / epoch_folder(old)};
    if (!holds_run_files(files)) break;
    remove_run(files);
    std::error_code ignored;  // a folder with other files stays
    std::filesystem::remove(files.folder, ignored);
  }
  return true;
}

std::shared_ptr<Callback> step_callback(
    std::function<bool(Trainer&, const StepInfo&)> on_step_end) {
  require(on_step_end != nullptr, "step_callback: the function is empty");
  auto callback = std::make_shared<FunctionCallback>();
  callback->step = std::move(on_step_end);
  return callback;
}

std::shared_ptr<Callback> epoch_callback(
    std::function<bool(Trainer&, const EpochInfo&)> on_epoch_end) {
  require(on_epoch_end != nullptr, "epoch_callback: the function is empty");
  auto callback = std::make_shared<FunctionCallback>();
  callback->epoch = std::move(on_epoch_end);
  return callback;
}

}  // namespace tenon

// FitLoop: one call of Trainer::fit; what fit.cpp and fit_epochs.cpp share.
#pragma once
#include <array>
#include <chrono>
#include <functional>
#include <optional>

#include "tenon/train/checkpoint.h"
#include "tenon/train/feeder.h"

namespace tenon {

// The last times of what is repeated, in memory of fixed size.
class MedianTime {
 public:
  void add(double seconds) { times_[count_++ % times_.size()] = seconds; }
  double median() const;

 private:
  std::array<double, 1024> times_{};
  std::size_t count_ = 0;
};

class FitLoop final : private StepValues {
 public:
  FitLoop(Trainer& trainer, Trainer::State& state, const data::Source& source,
          const FitOptions& options);
  History run();

 private:
  using Clock = std::chrono::steady_clock;

  double loss() const override;
  double mean_loss() const override;
  std::span<const double> mean_metrics() const override;
  data::Batch batch() const override;

  bool has_folder() const { return !options_.run_folder.empty(); }
  std::int64_t last_epoch() const { return state_.position.first_epoch + options_.epochs; }
  std::int64_t epoch() const { return state_.position.epochs_done - state_.position.first_epoch; }
  bool is_streamed() const { return source_.stream() != nullptr; }
  void log(const std::string& line) const {
    if (state_.options.log) state_.options.log(line);
  }

  // fit.cpp
  void begin();
  void resume();
  void restore_callbacks(const std::string& state_file);
  void require_not_beyond() const;
  void open_files();
  void require_memory();
  void prepare();
  void take_final_weights();
  // fit_epochs.cpp
  bool is_stop_wanted() const;
  bool may_run_on() const;
  bool finish_unless_stopped(const std::function<void()>& work);
  void prepare_short_batch();
  void begin_epoch();
  void run_epoch();
  void run_step(ReadyStep& step);
  bool is_epoch_full() const;
  void end_epoch(Clock::time_point began);
  void validate_within_epoch();
  void add_row(bool is_validation, double loss, std::span<const double> metrics);
  void checkpoint();
  StepInfo step_info(double seconds) const;
  double waited_in_epoch() const { return opening_ + feeder_->seconds_waited(); }

  Trainer& trainer_;
  Trainer::State& state_;
  const data::Source source_;
  const FitOptions options_;
  const RunFiles files_;

  const Clock::time_point began_ = Clock::now();
  std::optional<RunLock> lock_;
  bool is_resumed_ = false;
  std::optional<MetricsLog> metrics_log_;
  std::unique_ptr<Feeder> feeder_;
  std::int64_t steps_in_epoch_ = 0;  // 0: not known
  ReadyStep* last_run_ = nullptr;
  mutable std::vector<double> mean_metrics_;
  std::vector<double> row_;
  Clock::time_point epoch_began_;
  bool is_epoch_begun_ = false;  // its batches are being made
  double opening_ = 0;           // seconds of the epoch until they were
  double training_ = 0;          // seconds of the epoch's steps
  std::int64_t epoch_samples_ = 0;
  MedianTime times_;
  // Of epochs run from their first step to their checkpoint, and of their samples.
  MedianTime epoch_times_, sample_times_;
  double waited_ = 0, trained_ = 0;  // seconds of all epochs of this fit
  History history_;
  bool is_running_ = true;
  std::int64_t steps_at_checkpoint_ = -1;
};

}  // namespace tenon

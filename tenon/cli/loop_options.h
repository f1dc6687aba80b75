// The options of `tenon train` that say how the training loop runs, and when it ends.
#pragma once
#include "tenon/cli/options.h"
#include "tenon/train/trainer.h"

namespace tenon {
class TimeLimit;
}

namespace tenon::cli {

struct LoopOptions {
  std::string precision = "f32", recompute = "none", augment;
  std::int64_t memory_limit = 0;        // bytes; 0: none
  std::optional<std::int64_t> workers;  // without it data in memory is read by the step itself
  std::int64_t validate_every = 0, sanity_batches = 0, steps_per_epoch = 0, overfit_batches = 0;
  std::int64_t early_stopping = 0, keep_checkpoints = 0;
  std::string monitor, time_limit, csv_log;
  bool keep_best = false, restore_best = false, fast_dev_run = false, tensorboard = false,
       nan_guard = false;
};

void add_loop_options(CLI::App& app, LoopOptions& options);
// OptionError for options that exclude or lack each other.
void check_loop_options(const LoopOptions& options, const std::string& out, DType dtype);

void set_trainer_options(const LoopOptions& options, TrainerOptions& trainer);
// That of --time-limit; none without it.
std::shared_ptr<TimeLimit> time_limit(const LoopOptions& options);
// `out` is the run folder, or empty. Callbacks are added behind those that are there. OptionError
// if an epoch has no value to monitor by that name.
void set_fit_options(const LoopOptions& options, const std::string& out,
                     const std::vector<std::string>& metrics, FitOptions& fit);

}  // namespace tenon::cli

#include "tenon/cli/loop_options.h"

#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/cli/augment_options.h"
#include "tenon/train/callbacks.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/csv_log.h"
#include "tenon/train/tensorboard.h"
#include "tenon/train/time_limit.h"

namespace tenon::cli {
namespace {

constexpr std::int64_t kMostCounted = std::int64_t{1} << 40;

// Of the value that is watched: what was asked for, or a loss.
Monitor monitor_of(const LoopOptions& options, const FitOptions& fit) {
  Monitor monitor;
  monitor.name = !options.monitor.empty() ? options.monitor
                 : fit.validation         ? "validation_loss"
                                          : "loss";
  return monitor;
}

// Whether it is one of these values, of validation data that is not there.
bool needs_validation(const LoopOptions& options, const std::vector<std::string>& known,
                      const FitOptions& fit) {
  return !fit.validation && std::ranges::any_of(known, [&](const std::string& name) {
    return options.monitor == "validation_" + name;
  });
}

// Now, and not after the first epoch.
void require_monitor(const LoopOptions& options, const std::vector<std::string>& metrics,
                     const FitOptions& fit) {
  if (options.monitor.empty()) return;
  std::vector<std::string> known{"loss"};
  known.insert(known.end(), metrics.begin(), metrics.end());
  for (std::size_t i = 0; fit.validation && i <= metrics.size(); ++i)
    known.push_back("validation_" + known[i]);
  if (std::ranges::find(known, options.monitor) == known.end())
    refuse_option(
        "--monitor", "an epoch has no value {}; one of {} expected{}", in_quotes(options.monitor),
        join(known, ", "),
        needs_validation(options, known, fit) ? "; --validation gives the data for it" : "");
}

double time_limit_of(const LoopOptions& options) {
  const double seconds = parse_number("--time-limit", options.time_limit);
  if (!(seconds > 0))
    refuse_option("--time-limit", "must be above 0, got {}", in_quotes(options.time_limit));
  return seconds;
}

}  // namespace

void add_loop_options(CLI::App& app, LoopOptions& options) {
  add_count(app, "--workers", options.workers, 0, 256,
            "threads that make the samples while steps run; without it the data is held in memory");
  const auto add = [&](const char* name, std::int64_t& value, const char* help) {
    add_count(app, name, value, 1, kMostCounted, help)->default_str("");
  };
  add("--validate-every", options.validate_every, "steps between validations within an epoch");
  add("--sanity-batches", options.sanity_batches,
      "batches of validation that are tried before the first step");
  add("--steps-per-epoch", options.steps_per_epoch, "an epoch ends after so many steps");
  add("--overfit-batches", options.overfit_batches,
      "train on so many batches alone, to see whether they can be learned");
  add("--early-stopping", options.early_stopping,
      "stop after so many epochs without a better --monitor");
  add_text(app, "--monitor", options.monitor,
           "validation_loss (or loss), a metric, or validation_METRIC", "NAME");
  app.add_flag("--keep-best", options.keep_best,
               "write best.safetensors to --out whenever --monitor is better than before");
  app.add_flag("--restore-best", options.restore_best,
               "the same, and the run ends with these weights in model.safetensors");
  add("--keep-checkpoints", options.keep_checkpoints,
      "keep the checkpoints of so many last epochs in --out");
  add_text(app, "--time-limit", options.time_limit, "stop after so many seconds", "SECONDS");
  app.add_flag("--tensorboard", options.tensorboard,
               "write event files for TensorBoard to the folder tensorboard in --out");
  add_text(app, "--csv-log", options.csv_log,
           "write losses and metrics to this file, too, one row for each epoch", "FILE");
  app.add_flag("--nan-guard", options.nan_guard,
               "stop at the first number that is not finite, and name the op that made it; slow");
  app.add_flag("--fast-dev-run", options.fast_dev_run,
               "one step and one batch of validation, to see whether all works; writes nothing");
}

void check_loop_options(const LoopOptions& options, const std::string& out, DType dtype) {
  if (options.precision != "f32" && dtype != DType::f32)
    refuse_option("--precision", "{} is for weights of f32, --dtype is {}", options.precision,
                  name(dtype));
  if (options.recompute == "auto" && options.memory_limit == 0)
    refuse_option("--recompute",
                  "auto does as much as --memory-limit asks for, which is missing; add it, or "
                  "choose cheap or full");
  const bool watches = options.early_stopping > 0 || options.keep_best || options.restore_best;
  if (!options.monitor.empty() && !watches)
    refuse_option(
        "--monitor",
        "says what --early-stopping, --keep-best or --restore-best go by, which are missing");
  for (const auto& [option, is_given] :
       {std::pair("--keep-best", options.keep_best),
        std::pair("--restore-best", options.restore_best),
        std::pair("--keep-checkpoints", options.keep_checkpoints > 0),
        std::pair("--tensorboard", options.tensorboard)})
    if (is_given && out.empty()) refuse_option(option, "needs --out, where its files go");
  if (!options.time_limit.empty()) time_limit_of(options);
}

void set_trainer_options(const LoopOptions& options, TrainerOptions& trainer) {
  trainer.memory_limit = options.memory_limit;
  trainer.recompute = *passes::parse_recompute(options.recompute);
  trainer.precision = *passes::parse_precision(options.precision);
  trainer.augmentation = parse_augmentation(options.augment);
}

void set_fit_options(const LoopOptions& options, const std::string& out,
                     const std::vector<std::string>& metrics, FitOptions& fit) {
  require_monitor(options, metrics, fit);
  if (options.workers) fit.loading.workers = static_cast<int>(*options.workers);
  if (!fit.validation && options.validate_every > 0)
    refuse_option("--validate-every", "needs validation data; add --validation");
  if (!fit.validation && options.sanity_batches > 0)
    refuse_option("--sanity-batches", "needs validation data; add --validation");
  fit.validate_every = options.validate_every;
  fit.sanity_batches = options.sanity_batches;
  fit.steps_per_epoch = options.steps_per_epoch;
  fit.overfit_batches = options.overfit_batches;
  fit.fast_dev_run = options.fast_dev_run;
  if (options.early_stopping > 0)
    fit.callbacks.emplace_back(
        std::make_shared<EarlyStopping>(monitor_of(options, fit), options.early_stopping));
  if (options.fast_dev_run) return;  // no files
  if (!options.csv_log.empty())
    fit.callbacks.emplace_back(std::make_shared<CsvLog>(options.csv_log, fit.resume));
  const RunFiles files{out};
  if (options.keep_best || options.restore_best)
    fit.callbacks.emplace_back(std::make_shared<BestCheckpoint>(
        files.best(), monitor_of(options, fit), options.restore_best));
  if (options.keep_checkpoints > 0)
    fit.callbacks.emplace_back(
        std::make_shared<KeepCheckpoints>(files.checkpoints(), options.keep_checkpoints));
  if (options.tensorboard)
    fit.callbacks.emplace_back(std::make_shared<TensorBoardLog>(files.tensorboard().string()));
}

std::shared_ptr<TimeLimit> time_limit(const LoopOptions& options) {
  if (options.time_limit.empty()) return nullptr;
  return std::make_shared<TimeLimit>(time_limit_of(options));
}

}  // namespace tenon::cli

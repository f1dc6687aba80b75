// tenon train
#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "tenon/base/ceil_divide.h"
#include "tenon/base/interruption.h"
#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/make_trainer.h"
#include "tenon/cli/output.h"
#include "tenon/cli/predictions.h"
#include "tenon/cli/process_usage.h"
#include "tenon/cli/progress.h"
#include "tenon/cli/signals.h"
#include "tenon/cli/text.h"
#include "tenon/cli/train_data.h"
#include "tenon/cli/train_report.h"
#include "tenon/cli/weight_options.h"
#include "tenon/io/file.h"
#include "tenon/io/json.h"
#include "tenon/session/graph_faults.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/description.h"
#include "tenon/train/nan_guard.h"
#include "tenon/train/time_limit.h"

namespace tenon::cli {
namespace {

// Keeps the tokenizer with the run, for whoever gives it text later.
void keep_tokenizer(const std::string& run, const data::Tokenizer& tokenizer) {
  const std::filesystem::path file = std::filesystem::path(run) / "tokenizer.json";
  io::make_folders(run);
  tokenizer.save(file);
}

// Of a scaled loss.
void note_skipped_updates(Trainer& trainer, Progress& progress) {
  const optim::Optimizer& optimizer = trainer.options().optimizer;
  if (optimizer.options().loss_scale.initial == 0 || trainer.steps_done() == 0) return;
  const std::int64_t updates = trainer.steps_done() / optimizer.options().accumulate_steps;
  const std::int64_t skipped =
      trainer.session().read(optimizer.skipped_steps()).as<std::int64_t>()[0];
  const double scale = trainer.session().read(optimizer.loss_scale()).as<double>()[0];
  progress.note(
      fmt::format("loss scale {:g}; {} of {} updates were skipped because a gradient "
                  "overflowed",
                  scale, skipped, updates));
}

// A run that goes on keeps the length that its schedule began with, unless another one is given.
void keep_schedule_length(TrainCommand& command) {
  const std::filesystem::path file = RunFiles{command.out}.description();
  if (!command.resume || command.optimizer.schedule_fields.contains("steps") ||
      !io::file_exists(file))
    return;
  const nlohmann::json run = io::read_json(file);  // what is wrong with it, the fit tells
  const nlohmann::json::json_pointer kind("/schedule/kind"), steps("/schedule/steps");
  if (!run.contains(kind) || run[kind] != command.optimizer.schedule || !run.contains(steps))
    return;
  command.optimizer.schedule_fields["steps"] = run[steps].dump();
}

// One line if the training came to numbers that are not finite; the weights are looked at where no
// epoch was finished.
void note_not_finite(Trainer& trainer, const History& history, Progress& progress) {
  std::string what;
  for (const EpochRecord& epoch : history.epochs) {
    const double loss = epoch.validation && std::isfinite(epoch.train.loss) ? epoch.validation->loss
                                                                            : epoch.train.loss;
    if (std::isfinite(loss)) continue;
    what = fmt::format("the loss is {} from epoch {} on", std::isnan(loss) ? "NaN" : "infinite",
                       epoch.epoch);
    break;
  }
  for (const Variable& weight : trainer.weights()) {
    if (!what.empty() || history.steps == 0 || !history.epochs.empty()) break;
    if (!is_float(weight.type().dtype)) continue;
    if (faults_of(trainer.session().read(weight)).any())
      what = fmt::format("weight {} is not finite", in_quotes(weight.name()));
  }
  if (what.empty()) return;
  progress.note(
      fmt::format("warning: {}\n  help: try a smaller --learning-rate; --nan-guard stops at the "
                  "first such number and names the op that made it",
                  what));
}

// What evaluates a run on this data.
std::string data_arguments(const DataOptions& options) {
  std::string arguments = shell_word(options.data);
  if (!options.label.empty()) arguments += fmt::format(" --label {}", shell_word(options.label));
  if (!options.sample_weights.empty() && !has_weights_file(options))
    arguments += fmt::format(" --sample-weights {}", shell_word(options.sample_weights));
  if (!options.delimiter.empty())
    arguments += fmt::format(" --delimiter {}", shell_word(options.delimiter));
  if (options.task == "reconstruction") arguments += " --task reconstruction";
  if (options.bad_samples == "skip") arguments += " --bad-samples skip";
  return arguments;
}

// What evaluates a run on what it was not trained on, or says that nothing was kept for that. Data
// with a test set is evaluated by that.
std::string evaluation_arguments(const TrainCommand& command, const TrainData& data) {
  const std::string& validation = command.validation;
  const std::string arguments = data_arguments(command.data);
  if (data.test) return arguments;
  if (validation.empty() || validation == "none")
    return arguments + "  # the data it was trained on";
  if (is_fraction_text(validation)) {
    // Streamed images are split before bad ones are left out, those in memory after that.
    const bool is_equal_split = data.is_in_memory || command.data.bad_samples != "skip";
    return arguments + (is_equal_split ? fmt::format(" --validation {}", shell_word(validation))
                                       : "  # all of it, what was held out is a part");
  }
  DataOptions other = command.data;
  other.data = validation;
  if (!has_columns(validation)) other.label = "";
  if (!validation.starts_with("csv:")) other.delimiter = "";
  if (!validation.starts_with("csv:") && !validation.starts_with("npz:")) other.sample_weights = "";
  return data_arguments(other);
}

// By the data that trained least: the test set, else the validation set, else what was trained on.
std::optional<DistillReport> distill_report(const TrainCommand& command, Trainer& teacher,
                                            Trainer& student, const TrainData& data,
                                            const LoadOptions& loading) {
  const bool is_kept = !command.out.empty() && !command.loop.fast_dev_run;
  const data::Dataset& dataset = data.test         ? *data.test
                                 : data.validation ? *data.validation
                                                   : data.shown;
  if (dataset.size() == 0 || !dataset.has_y()) return std::nullopt;
  return DistillReport{
      compare_with_teacher(teacher, student, is_kept ? command.out : "", dataset, loading),
      data.test         ? "test"
      : data.validation ? "validation"
                        : "training"};
}

// Also if nothing was left to do: whoever stopped the run may have done so before they were
// written.
void save_averages(const TrainCommand& command, Trainer& trainer, const History& history) {
  if (trainer.options().optimizer.options().average_decay == 0 || command.out.empty() ||
      trainer.steps_done() == 0)
    return;
  if (history.steps == 0) trainer.compiled_step(command.batch_size);  // knows its averages
  trainer.save_averages(RunFiles{command.out}.averages().string());
}

// What the trained model makes of the test data.
void try_out(const TrainCommand& command, Trainer& trainer, const TrainData& data,
             TrainReport& report) {
  // The test set has just been looked at if it is what each epoch was checked with.
  report.is_test_validation = data.test && command.validation.empty();
  const bool is_known = report.is_test_validation && !report.history.epochs.empty() &&
                        !report.history.stopped && trainer.training().weights.empty();
  if (data.test)
    report.test = is_known ? report.history.epochs.back().validation : trainer.evaluate(*data.test);
  constexpr std::int64_t kShown = 3;
  const data::Dataset& shown = data.test ? *data.test : data.shown;
  const bool guesses_labels = command.data.task != "reconstruction" && !trainer.makes_own_targets();
  if (report.steps > 0 && shown.has_y() && guesses_labels)
    report.predictions = sample_predictions(trainer, shown, kShown);
}

// Those of the run folder, and the logs.
std::vector<std::string> written_files(const TrainCommand& command) {
  std::vector<std::string> files;
  if (!command.out.empty()) files = run_files(command.out);
  if (command.loop.fast_dev_run) return files;
  const std::filesystem::path events = RunFiles{command.out}.tensorboard();
  if (command.loop.tensorboard && io::folder_exists(events.string()))
    files.push_back(events.string() + "/");
  if (!command.loop.csv_log.empty() && io::file_exists(command.loop.csv_log))
    files.push_back(command.loop.csv_log);
  return files;
}

int run_train(TrainCommand command) {
  check_train_options(command);
  keep_schedule_length(command);
  command.model = with_sound_rate(command.model, command.data.data);
  const TrainData data = open_train_data(command);
  const nn::Loss loss = choose_loss(command, data.labelled());
  const std::vector<std::string> metrics = choose_metrics(command, data.train, loss);
  check_model_options(command, make_trained_model(command, data.train, loss), data.train.x_row());
  check_metrics(command, data.train, loss, metrics);
  Progress progress;
  constexpr std::int64_t kUnknownSize = 1;  // a schedule over all steps needs --steps-per-epoch
  const std::int64_t size = data.train.size().value_or(kUnknownSize);
  std::int64_t steps_in_epoch = std::max<std::int64_t>(1, ceil_divide(size, command.batch_size));
  if (!data.train.size()) steps_in_epoch = std::max(steps_in_epoch, command.loop.steps_per_epoch);
  for (const std::int64_t most : {command.loop.steps_per_epoch, command.loop.overfit_batches})
    if (most > 0) steps_in_epoch = std::min(steps_in_epoch, most);
  std::int64_t steps =
      std::min(command.epochs, std::numeric_limits<std::int64_t>::max() / steps_in_epoch) *
      steps_in_epoch;
  if (command.max_steps > 0) steps = std::min(steps, command.max_steps);
  nn::Layer model =
      with_penalties(make_trained_model(command, data.train, loss), command.loss_options);
  const LoadOptions loading{.device = command.device.device,
                            .threads = static_cast<int>(command.device.threads),
                            .log = print_note};
  std::optional<Trainer> teacher =
      load_teacher(command.distill, data.train, loading, *parse_dtype(command.dtype));
  if (teacher) model = with_teacher(std::move(model), *teacher, command.distill);
  TrainerOptions options = trainer_options(command, loss, steps);
  for (const std::string& metric : metrics) options.metrics.push_back(nn::find_metric(metric));
  if (teacher && !options.normalization) options.normalization = teacher->normalization().kind;
  options.log = [&progress](std::string_view line) {
    if (is_new_note(line)) progress.note(line);
  };
  options.columns = data.columns;
  Trainer trainer(std::move(model), std::move(options));
  if (teacher) {
    trainer.build(data.train);
    require_same_scaling(*teacher, trainer);
  }
  check_weight_options(command, trainer, data.train);
  prepare_weights(trainer, command, data.train);

  FitOptions fit;
  fit.epochs = command.epochs;
  fit.batch_size = command.batch_size;
  fit.validation = data.validation;
  if (data.test) fit.test = *data.test;
  fit.shuffle = !command.no_shuffle;
  fit.max_steps = command.max_steps;
  fit.checkpoint_every = command.checkpoint_every;
  fit.run_folder = command.out;
  fit.log_every = command.log_every;
  fit.resume = command.resume;
  fit.overwrite = command.overwrite;
  fit.callbacks = {&progress};
  set_fit_options(command.loop, command.out, metrics, fit);
  const auto guard = std::make_shared<NanGuard>();
  if (command.loop.nan_guard) fit.callbacks.emplace_back(guard);
  const std::shared_ptr<TimeLimit> limit = time_limit(command.loop);
  if (limit) fit.callbacks.emplace_back(limit);
  fit.stop = catch_stop_signals(command.out);

  // A run that goes on has its own already.
  if (data.tokenizer && !command.out.empty() && !command.resume && !command.loop.fast_dev_run)
    keep_tokenizer(command.out, *data.tokenizer);
  TrainReport report;
  try {
    report.history = trainer.fit(data.train, fit);
  } catch (const ResumeError& error) {
    throw OptionError(error.what());
  }
  wait_if_ending();
  require(guard->finding().empty(), "stopped by --nan-guard; {}",
          command.out.empty() ? "nothing is saved"
          : trainer.training().weights.empty()
              ? command.out + " holds the weights before that step"
              : command.out + " holds the weights " + trainer.training().weights);
  note_skipped_updates(trainer, progress);
  note_not_finite(trainer, report.history, progress);
  if (data.bad) report_skipped(command.data.data, *data.bad);
  const bool is_late = report.history.steps == 0 && limit && limit->is_reached();
  if (is_late) progress.note("the time limit was reached before a step was run");
  report.run = command.out;
  report.program = command.program;
  report.data = evaluation_arguments(command, data);
  report.has_images = data.train.x_row().dtype == DType::u8;
  report.cost = trainer.cost();
  report.steps = trainer.steps_done();
  report.has_metrics = command.log_every > 0 || io::file_exists(RunFiles{command.out}.curves());
  report.is_stopped = stop_requested();
  try {
    const InterruptionScope scope(stop_requested);
    if (!is_late) save_averages(command, trainer, report.history);
    if (!is_late && !report.is_stopped) try_out(command, trainer, data, report);
    if (!is_late && !report.is_stopped && teacher)
      report.distillation = distill_report(command, *teacher, trainer, data, loading);
  } catch (const Interrupted&) {
    report.is_stopped = true;
  }
  wait_if_ending();
  report.files = written_files(command);
  if (report.is_stopped)
    progress.note(fmt::format("stopped at step {}{}", report.steps,
                              command.out.empty() ? "" : "; --resume goes on from here"));
  report.process_peak_bytes = process_peak_bytes();
  if (command.json)
    print_json(report_json(report));
  else
    print_text(report_text(report));
  return report.is_stopped ? kExitInterrupted : 0;
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("train", "trains a model on data");
  const auto command = std::make_shared<TrainCommand>();
  add_train_options(*app, *command);
  app->callback([command, &action, &program] {
    command->program = program.get_name();
    action = [command] { return run_train(*command); };
  });
}

}  // namespace tenon::cli

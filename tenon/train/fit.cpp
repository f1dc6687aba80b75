// Trainer::fit: what happens before the first step of a fit and after its last.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tenon/base/hash.h"
#include "tenon/io/file.h"
#include "tenon/io/json.h"
#include "tenon/train/cost_record.h"
#include "tenon/train/curves.h"
#include "tenon/train/fit_loop.h"

namespace tenon {
namespace {

void validate(const FitOptions& options) {
  require(options.batch_size > 0, "fit: batch_size must be above 0, got {}", options.batch_size);
  for (const auto& [name, value] : {std::pair<const char*, std::int64_t>{"epochs", options.epochs},
                                    {"max_steps", options.max_steps},
                                    {"steps_per_epoch", options.steps_per_epoch},
                                    {"checkpoint_every", options.checkpoint_every},
                                    {"validate_every", options.validate_every},
                                    {"sanity_batches", options.sanity_batches},
                                    {"overfit_batches", options.overfit_batches},
                                    {"log_every", options.log_every}})
    require(value >= 0, "fit: {} must not be negative, got {}", name, value);
  require(options.validation || (options.validate_every == 0 && options.sanity_batches == 0),
          "fit: validate_every and sanity_batches need validation data");
  require(!options.resume || !options.overwrite, "fit: choose one of resume and overwrite");
  require(!options.run_folder.empty() || (!options.resume && !options.overwrite),
          "fit: resume and overwrite need a run_folder");
  for (const Callback* callback : options.callbacks)
    require(callback != nullptr, "fit: a callback is null");
}

// What the options for trying things out mean in terms of the others.
FitOptions plain_options(FitOptions options) {
  if (options.overfit_batches > 0) options.shuffle = false;
  if (options.fast_dev_run) {
    options.epochs = options.steps_per_epoch = 1;
    options.run_folder.clear();
    options.resume = options.overwrite = false;
    if (options.validation) options.validation = options.validation->take(options.batch_size);
  }
  return options;
}

data::Source plain_source(const data::Source& source, const FitOptions& options) {
  const std::int64_t batches = options.fast_dev_run ? 1 : options.overfit_batches;
  if (batches == 0) return source;
  return source.take(checked_multiply(batches, options.batch_size, "fit: samples"));
}

// Of all samples and labels; of a stream that has no origin its first ones.
std::string data_hash_of(const data::Source& source) {
  const data::Dataset dataset = source.dataset() != nullptr ? *source.dataset()
                                : source.stream()->origin   ? *source.stream()->origin
                                                            : source.take(1).sampled();
  std::uint64_t hash = 0;
  std::vector<const data::Array*> arrays = {&dataset.x(), &dataset.y()};
  if (dataset.has_weights()) arrays.push_back(&dataset.weights());
  for (const data::Array* array : arrays) {
    const auto bytes = static_cast<std::size_t>(array->size()) * array->row_bytes();
    hash = hash_combine(hash, hash_text(to_string(array->type())));
    hash = hash_combine(hash, hash_bytes({array->data(), bytes}));
  }
  return fmt::format("{:016x}", hash);
}

// UserError if no sample counts.
void require_some_weight(const data::Source& source, std::string_view purpose) {
  const data::Dataset* dataset = source.dataset();
  if (dataset == nullptr || !dataset->has_weights()) return;
  const HostTensor weights = dataset->weights().tensor();
  require(std::ranges::any_of(weights.as<float>(), [](float weight) { return weight > 0; }),
          "{}: the sample weights of dataset \"{}\" are all 0", purpose, source.name());
}

double per_second(std::int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

FitLoop::FitLoop(Trainer& trainer, Trainer::State& state, const data::Source& source,
                 const FitOptions& options)
    : trainer_(trainer),
      state_(state),
      source_(plain_source(source, options)),
      options_(plain_options(options)),
      files_{options_.run_folder},
      mean_metrics_(state.options.metrics.size()) {}

// Opens the run folder, or refuses it, and sets the position from which steps are run.
void FitLoop::begin() {
  TrainingRecord record;
  record.data = source_.name();
  record.samples = source_.size().value_or(0);
  record.batch_size = options_.batch_size;
  record.epochs = options_.epochs;
  record.shuffle = options_.shuffle;
  record.steps_per_epoch = options_.steps_per_epoch;
  record.device = state_.options.device;
  if (has_folder()) {
    lock_.emplace(files_.folder);
    require(options_.resume || options_.overwrite || !holds_run_files(files_),
            "{} holds a run already\n  help: resume it, overwrite it, or choose another folder",
            options_.run_folder);
    remove_temporaries(files_);
    record.data_hash = data_hash_of(source_);
    is_resumed_ = options_.resume && can_resume(files_);
    if (options_.resume) repair_run(files_);
  }
  state_.training = std::move(record);
  state_.last_rows = source_.size().value_or(0);
  state_.last_has_weights = source_.dataset() != nullptr && source_.dataset()->has_weights();
  if (is_resumed_) {
    resume();
    return;
  }
  if (options_.resume) log(fmt::format("{} holds no run yet; starting one", options_.run_folder));
  Position& position = state_.position;
  if (position.step_in_epoch > 0) ++position.epochs_done;  // left unfinished by an earlier fit
  position.step_in_epoch = position.sample_in_pass = 0;
  position.first_epoch = position.epochs_done;
  position.first_step = position.steps_done;
  state_.callback_states.clear();
  state_.reset(state_.epoch_sums);
  if (has_folder()) state_.table.shorten(0);
}

void FitLoop::resume() {
  require_same_run(io::read_json(files_.description()), state_.description(),
                   files_.description().string());
  StoredCheckpoint stored = read_checkpoint(files_);
  const std::string state_file = files_.state().string();
  require(stored.state.has_value() || io::file_exists(state_file),
          "{} is missing: the run cannot go on\n  help: train in another folder with the weights "
          "of {} as initial ones",
          state_file, files_.model().string());
  require(stored.state.has_value(),
          "{} is not of the same checkpoint as {}: the run cannot go on\n  help: train in another "
          "folder with these weights as initial ones",
          state_file, files_.model().string());
  state_.load_weights(std::move(stored.weights), files_.model().string());
  state_.load_last_weights(*stored.state, state_file);
  state_.restore(*stored.state, state_file);
  require(steps_in_epoch_ == 0 || state_.position.step_in_epoch <= steps_in_epoch_,
          "{}: {} steps of an epoch are done, an epoch has {}", state_file,
          state_.position.step_in_epoch, steps_in_epoch_);
  const std::size_t rows = metric_rows(*stored.state, state_file);
  state_.table.shorten(0);
  if (io::file_exists(files_.metrics()))
    state_.table = read_metrics_csv(files_.metrics(), rows, state_.metric_names());
  if (state_.table.rows.size() < rows)
    log(fmt::format("{} holds {} of the {} rows that were written; the others are lost",
                    files_.metrics().string(), state_.table.rows.size(), rows));
  require_not_beyond();
  restore_callbacks(state_file);
  if (epoch() == options_.epochs)
    log(fmt::format("resumed {} at step {}: its {} epochs are done, nothing is left to do",
                    options_.run_folder, state_.position.steps_done, options_.epochs));
  else
    log(fmt::format("resumed {} at step {} (epoch {}, step {}{})", options_.run_folder,
                    state_.position.steps_done, epoch() + 1, state_.position.step_in_epoch,
                    steps_in_epoch_ > 0 ? fmt::format(" of {}", steps_in_epoch_) : ""));
}

// Those that keep a state get it back, in their order. ResumeError if others keep one.
void FitLoop::restore_callbacks(const std::string& state_file) {
  std::vector<Callback*> keeping;
  for (Callback* callback : options_.callbacks)
    if (!callback->state().empty()) keeping.push_back(callback);
  const CallbackStates& states = state_.callback_states;
  if (!states.empty() && !keeping.empty() && states.size() != keeping.size())
    throw ResumeError(fmt::format(
        "{}: it holds the state of {} callbacks, this fit has {} that keep one\n  help: "
        "resume with the callbacks that the run was begun with",
        state_file, states.size(), keeping.size()));
  for (std::size_t i = 0; i < std::min(states.size(), keeping.size()); ++i)
    keeping[i]->restore(states[i]);
}

// ResumeError if more is done than is asked for.
void FitLoop::require_not_beyond() const {
  const std::int64_t begun = epoch() + (state_.position.step_in_epoch > 0 ? 1 : 0);
  if (begun > options_.epochs)
    throw ResumeError(fmt::format("{}: the run cannot go on: {} epochs are {}, {} asked for",
                                  options_.run_folder, begun, begun == epoch() ? "done" : "begun",
                                  options_.epochs));
  const std::int64_t steps = state_.position.steps_done - state_.position.first_step;
  if (options_.max_steps > 0 && steps > options_.max_steps)
    throw ResumeError(fmt::format("{}: the run cannot go on: {} steps are done, max_steps is {}",
                                  options_.run_folder, steps, options_.max_steps));
}

// Files of the run as they are before the first step.
void FitLoop::open_files() {
  if (options_.log_every > 0) {
    constexpr std::int64_t kMostReserved = 1 << 20;
    const std::int64_t steps = std::min(options_.epochs, kMostReserved) * steps_in_epoch_;
    state_.table.reserve(static_cast<std::size_t>(
        std::clamp<std::int64_t>(steps / options_.log_every, 0, kMostReserved)));
  }
  if (!has_folder()) return;
  if (options_.overwrite) remove_run(files_);
  // First: a checkpoint without it would be a run that cannot go on.
  write_description(files_.description(), state_.description());
  if (!is_resumed_) checkpoint();
  metrics_log_.emplace(files_.metrics(), state_.table);
}

// Compiles, and tries what was asked to be tried.
void FitLoop::prepare() {
  if (state_.options.memory_limit > 0) require_memory();
  if (options_.sanity_batches > 0)
    state_.evaluate(options_.validation->take(checked_multiply(
                        options_.sanity_batches, options_.batch_size, "fit: sanity_batches")),
                    options_.batch_size, options_.loading);
  state_.set_compile_cost(feeder_->prepare_first());
  for (Callback* callback : options_.callbacks) callback->on_compiled(trainer_);
}

History FitLoop::run() {
  const auto each_source = [&](const auto& require_of) {
    require_of(source_, "fit");
    if (options_.validation) require_of(*options_.validation, "fit: validation");
    if (options_.test) require_of(*options_.test, "fit: test");
  };
  const auto require_fits = [&](const data::Source& source, const char* what) {
    state_.require_fits(source, what, options_.loading);
  };
  each_source(require_fits);
  each_source(require_some_weight);
  state_.build(source_);
  each_source(require_fits);  // now that the weights are there
  feeder_ =
      make_feeder(state_, source_, {true, options_.batch_size, options_.shuffle, options_.loading});
  steps_in_epoch_ = feeder_->steps_in_epoch();
  if (options_.steps_per_epoch > 0)
    steps_in_epoch_ = steps_in_epoch_ == 0 ? options_.steps_per_epoch
                                           : std::min(steps_in_epoch_, options_.steps_per_epoch);
  begin();
  state_.fit_data_bytes = 0;
  for (const data::Source* each : {&source_, options_.validation ? &*options_.validation : nullptr})
    if (each != nullptr && each->dataset() != nullptr)
      state_.fit_data_bytes += each->dataset()->byte_size();
  for (Callback* callback : options_.callbacks) callback->on_fit_begin(trainer_);

  is_running_ = may_run_on() && std::ranges::none_of(options_.callbacks, [](Callback* callback) {
                  return callback->is_done();
                });
  if (is_running_ && state_.position.epochs_done < last_epoch()) {
    begin_epoch();  // the first batches are made while the step is compiled
    finish_unless_stopped([this] { prepare(); });
    is_running_ = is_running_ && may_run_on();  // compiling takes long enough to be stopped
  }
  row_.reserve(1 + mean_metrics_.size());
  open_files();
  while (is_running_ && state_.position.epochs_done < last_epoch()) run_epoch();
  history_.stopped = state_.position.epochs_done < last_epoch();

  if (has_folder()) {
    if (steps_at_checkpoint_ != state_.position.steps_done) checkpoint();
    if (!state_.table.rows.empty()) write_curves(files_.curves(), state_.table, files_.title());
  }
  CostReport& cost = state_.cost;
  cost.seconds_per_step = times_.median();
  cost.step_samples_per_second = per_second(options_.batch_size, times_.median());
  cost.seconds_per_epoch = epoch_times_.median();
  cost.samples_per_second = per_second(1, sample_times_.median());
  cost.input_stall = trained_ > 0 ? waited_ / trained_ : 0;
  if (has_folder() && history_.steps > 0) write_cost(files_.cost(), cost);
  take_final_weights();
  for (Callback* callback : options_.callbacks) callback->on_fit_end(trainer_);
  return std::move(history_);
}

// Those that a callback wants the fit to end with; the first one that wants any is heard.
void FitLoop::take_final_weights() {
  std::optional<FinalWeights> wanted;
  for (const Callback* callback : options_.callbacks)
    if (!wanted) wanted = callback->final_weights();
  if (!wanted) return;
  const io::NamedTensors last = state_.weight_values();
  trainer_.load_weights(wanted->file);
  state_.training.weights = wanted->description;
  log(fmt::format("the weights are those {}", wanted->description));
  if (!has_folder()) return;
  state_.save_checkpoint(options_.run_folder, last);
  write_description(files_.description(), state_.description());
}

History Trainer::fit(const data::Source& source, const FitOptions& options) {
  validate(options);
  return FitLoop(*this, *state_, source, options).run();
}

}  // namespace tenon

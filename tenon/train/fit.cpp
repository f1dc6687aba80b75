// The training loop.
#include <chrono>
#include <nlohmann/json.hpp>

#include "tenon/base/hash.h"
#include "tenon/data/epoch_order.h"
#include "tenon/io/file.h"
#include "tenon/io/json.h"
#include "tenon/io/safetensors.h"
#include "tenon/train/checkpoint.h"
#include "tenon/train/curves.h"
#include "tenon/train/trainer_state.h"

namespace tenon {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void validate(const FitOptions& options) {
  require(options.epochs >= 0, "fit: epochs must not be negative, got {}", options.epochs);
  require(options.batch_size > 0, "fit: batch_size must be above 0, got {}", options.batch_size);
  require(options.max_steps >= 0, "fit: max_steps must not be negative, got {}", options.max_steps);
  require(options.checkpoint_every >= 0, "fit: checkpoint_every must not be negative, got {}",
          options.checkpoint_every);
  require(options.log_every >= 0, "fit: log_every must not be negative, got {}", options.log_every);
  require(!options.resume || !options.overwrite, "fit: choose one of resume and overwrite");
  require(!options.run_folder.empty() || (!options.resume && !options.overwrite),
          "fit: resume and overwrite need a run_folder");
  for (const Callback* callback : options.callbacks)
    require(callback != nullptr, "fit: a callback is null");
}

std::string data_hash_of(const data::Dataset& dataset) {
  std::uint64_t hash = 0;
  for (const data::Array* array : {&dataset.x(), &dataset.y()}) {
    const auto bytes = static_cast<std::size_t>(array->size()) * array->row_bytes();
    hash = hash_combine(hash, hash_text(to_string(array->type())));
    hash = hash_combine(hash, hash_bytes({array->data(), bytes}));
  }
  return fmt::format("{:016x}", hash);
}

// The last times of what is repeated, in memory of fixed size.
class MedianTime {
 public:
  void add(double seconds) { times_[count_++ % times_.size()] = seconds; }
  double median() const {
    std::vector<double> sorted(
        times_.begin(),
        times_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, times_.size())));
    if (sorted.empty()) return 0;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::ranges::nth_element(sorted, middle);
    return *middle;
  }

 private:
  std::array<double, 1024> times_{};
  std::size_t count_ = 0;
};

double per_second(std::int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

class FitLoop {
 public:
  FitLoop(Trainer& trainer, Trainer::State& state, const data::Dataset& dataset,
          const FitOptions& options)
      : trainer_(trainer),
        state_(state),
        dataset_(dataset),
        options_(options),
        files_{options.run_folder},
        steps_in_epoch_((dataset.size() + options.batch_size - 1) / options.batch_size),
        tail_(dataset.size() % options.batch_size),
        mean_metrics_(state.options.metrics.size()) {}

  History run();

 private:
  bool has_folder() const { return !options_.run_folder.empty(); }
  std::int64_t last_epoch() const { return state_.position.first_epoch + options_.epochs; }
  std::int64_t epoch() const { return state_.position.epochs_done - state_.position.first_epoch; }
  void log(const std::string& line) const {
    if (state_.options.log) state_.options.log(line);
  }

  void begin();
  void resume();
  void require_not_beyond() const;
  void open_files();
  ReadyStep& step_of(std::int64_t count) {
    return state_.training_step(data_->x.type(), data_->y.type(), count);
  }
  bool may_run_on() const;
  void run_epoch();
  void run_step();
  void end_epoch(Clock::time_point began);
  void add_row(bool is_validation, const RunningMeans& means, std::int64_t row_epoch);
  void checkpoint();

  Trainer& trainer_;
  Trainer::State& state_;
  const data::Dataset& dataset_;
  const FitOptions& options_;
  const RunFiles files_;
  const std::int64_t steps_in_epoch_;
  const std::int64_t tail_;  // samples of a short last batch

  const Clock::time_point began_ = Clock::now();
  std::optional<RunLock> lock_;
  bool is_resumed_ = false;
  std::optional<MetricsLog> metrics_log_;
  std::shared_ptr<ResidentData> data_;
  ReadyStep* full_ = nullptr;
  ReadyStep* last_ = nullptr;  // for the short last batch
  std::vector<std::int64_t> order_;
  std::vector<double> mean_metrics_;
  std::vector<double> row_;
  MedianTime times_, epoch_times_;  // of epochs run from their first step to their checkpoint
  History history_;
  bool is_running_ = true;
  std::int64_t steps_at_checkpoint_ = -1;
};

// Opens the run folder, or refuses it, and sets the position from which steps are run.
void FitLoop::begin() {
  TrainingRecord record;
  record.data = dataset_.name();
  record.samples = dataset_.size();
  record.batch_size = options_.batch_size;
  record.epochs = options_.epochs;
  record.shuffle = options_.shuffle;
  if (has_folder()) {
    lock_.emplace(files_.folder);
    require(options_.resume || options_.overwrite || !holds_run_files(files_),
            "{} holds a run already\n  help: resume it, overwrite it, or choose another folder",
            options_.run_folder);
    remove_temporaries(files_);
    record.data_hash = data_hash_of(dataset_);
    is_resumed_ = options_.resume && can_resume(files_);
    if (options_.resume) repair_run(files_);
  }
  state_.training = std::move(record);
  state_.last_rows = dataset_.size();
  if (is_resumed_) {
    resume();
    return;
  }
  if (options_.resume) log(fmt::format("{} holds no run yet; starting one", options_.run_folder));
  Position& position = state_.position;
  if (position.step_in_epoch > 0) ++position.epochs_done;  // left unfinished by an earlier fit
  position.step_in_epoch = 0;
  position.first_epoch = position.epochs_done;
  position.first_step = position.steps_done;
  state_.epoch_means = state_.no_means();
  if (has_folder()) state_.table.shorten(0);
}

void FitLoop::resume() {
  require_same_run(io::read_json(files_.description()), state_.description(),
                   files_.description().string());
  const StoredCheckpoint stored = read_checkpoint(files_);
  const std::string state_file = files_.state().string();
  require(stored.state.has_value() || io::file_exists(state_file),
          "{} is missing: the run cannot go on\n  help: train in another folder with the weights "
          "of {} as initial ones",
          state_file, files_.model().string());
  require(stored.state.has_value(),
          "{} is not of the same checkpoint as {}: the run cannot go on\n  help: train in another "
          "folder with these weights as initial ones",
          state_file, files_.model().string());
  state_.load_weights(stored.weights, files_.model().string());
  state_.restore(*stored.state, state_file);
  require(state_.position.step_in_epoch <= steps_in_epoch_,
          "{}: {} steps of an epoch are done, an epoch has {}", state_file,
          state_.position.step_in_epoch, steps_in_epoch_);
  const std::size_t rows = metric_rows(*stored.state, state_file);
  state_.table.shorten(0);
  if (io::file_exists(files_.metrics()))
    state_.table = read_metrics_csv(files_.metrics(), rows, state_.metric_names());
  require_not_beyond();
  if (epoch() == options_.epochs)
    log(fmt::format("resumed {} at step {}: its {} epochs are done, nothing is left to do",
                    options_.run_folder, state_.position.steps_done, options_.epochs));
  else
    log(fmt::format("resumed {} at step {} (epoch {}, step {} of {})", options_.run_folder,
                    state_.position.steps_done, epoch() + 1, state_.position.step_in_epoch,
                    steps_in_epoch_));
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

bool FitLoop::may_run_on() const {
  if (options_.stop.stop_requested()) return false;
  return options_.max_steps == 0 ||
         state_.position.steps_done - state_.position.first_step < options_.max_steps;
}

void FitLoop::add_row(bool is_validation, const RunningMeans& means, std::int64_t row_epoch) {
  row_.clear();
  row_.push_back(means.loss());
  for (std::size_t i = 0; i < means.metric_sums.size(); ++i)
    row_.push_back(state_.metric_value(means, i));
  const MetricTable::Row row{state_.position.steps_done, row_epoch, is_validation};
  state_.table.add(row, row_);
  if (metrics_log_) metrics_log_->add(row, row_);
}

void FitLoop::checkpoint() {
  if (!has_folder()) return;
  if (metrics_log_) metrics_log_->flush();
  state_.save_checkpoint(options_.run_folder);
  steps_at_checkpoint_ = state_.position.steps_done;
}

void FitLoop::run_step() {
  const Clock::time_point began = Clock::now();
  Position& position = state_.position;
  const std::int64_t first = position.step_in_epoch * options_.batch_size;
  const std::int64_t count = std::min(options_.batch_size, dataset_.size() - first);
  if (count < options_.batch_size && last_ == nullptr) last_ = &step_of(count);
  ReadyStep& step = count == options_.batch_size ? *full_ : *last_;
  const auto rows =
      std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  StepInfo info;
  info.loss = state_.run(step, *data_, rows, state_.epoch_means);
  info.step = ++position.steps_done;
  info.step_in_epoch = ++position.step_in_epoch;
  info.seconds = seconds_since(began);
  info.epoch = epoch() + 1;
  info.steps_in_epoch = steps_in_epoch_;
  info.total_epochs = options_.epochs;
  info.mean_loss = state_.epoch_means.loss();
  for (std::size_t i = 0; i < mean_metrics_.size(); ++i)
    mean_metrics_[i] = state_.metric_value(state_.epoch_means, i);
  info.mean_metrics = mean_metrics_;
  if (count == options_.batch_size) times_.add(info.seconds);
  if (++history_.steps == 1) {
    state_.cost.seconds_to_first_step = seconds_since(began_);
    // The second size is compiled now: later, it would allocate within the epoch.
    if (tail_ != 0 && last_ == nullptr && options_.max_steps != 1) last_ = &step_of(tail_);
  }
  if (options_.log_every > 0 && position.steps_done % options_.log_every == 0)
    add_row(false, state_.last_step_means, position.epochs_done + 1);
  for (Callback* callback : options_.callbacks)
    if (!callback->on_step_end(trainer_, info)) is_running_ = false;
  if (!may_run_on()) is_running_ = false;
  // At the end of an epoch its rows come first.
  if (options_.checkpoint_every > 0 && position.steps_done % options_.checkpoint_every == 0 &&
      position.step_in_epoch < steps_in_epoch_)
    checkpoint();
}

void FitLoop::end_epoch(Clock::time_point began) {
  Position& position = state_.position;
  EpochRecord record;
  record.epoch = epoch() + 1;
  record.train = state_.evaluation_of(state_.epoch_means, dataset_.size());
  if (options_.validation) record.validation = trainer_.evaluate(*options_.validation);
  record.seconds = seconds_since(began);
  if (options_.log_every == 0) add_row(false, state_.epoch_means, position.epochs_done + 1);
  if (record.validation) {
    row_ = {record.validation->loss};
    for (const auto& [name, value] : record.validation->metrics) row_.push_back(value);
    const MetricTable::Row row{position.steps_done, position.epochs_done + 1, true};
    state_.table.add(row, row_);
    if (metrics_log_) metrics_log_->add(row, row_);
  }
  ++position.epochs_done;
  position.step_in_epoch = 0;
  state_.epoch_means = state_.no_means();
  if (options_.checkpoint_every == 0 || position.steps_done % options_.checkpoint_every == 0)
    checkpoint();
  if (has_folder()) write_curves(files_.curves(), state_.table, files_.title());

  EpochInfo info{record.epoch,
                 position.steps_done,
                 options_.epochs,
                 record.train.loss,
                 record.train.metrics,
                 std::nullopt,
                 {},
                 record.seconds};
  if (record.validation) {
    info.validation_loss = record.validation->loss;
    info.validation_metrics = record.validation->metrics;
  }
  for (Callback* callback : options_.callbacks)
    if (!callback->on_epoch_end(trainer_, info)) is_running_ = false;
  history_.epochs.push_back(std::move(record));
}

void FitLoop::run_epoch() {
  const Clock::time_point began = Clock::now();
  data::fill_epoch_order(order_, state_.options.seed,
                         static_cast<std::uint64_t>(state_.position.epochs_done), options_.shuffle);
  const bool is_whole = state_.position.step_in_epoch == 0;
  while (is_running_ && state_.position.step_in_epoch < steps_in_epoch_) run_step();
  if (state_.position.step_in_epoch < steps_in_epoch_) return;
  end_epoch(began);
  if (is_whole) epoch_times_.add(seconds_since(began));
}

History FitLoop::run() {
  state_.require_fits(dataset_, "fit");
  if (options_.validation) state_.require_fits(*options_.validation, "fit: validation");
  state_.build(dataset_);
  state_.require_fits(dataset_, "fit");
  if (options_.validation) state_.require_fits(*options_.validation, "fit: validation");
  begin();
  for (Callback* callback : options_.callbacks) callback->on_fit_begin(trainer_);

  is_running_ = may_run_on();
  if (is_running_ && state_.position.epochs_done < last_epoch()) {
    data_ = state_.on_device(dataset_);
    const bool has_full = dataset_.size() >= options_.batch_size;
    (has_full ? full_ : last_) = &step_of(has_full ? options_.batch_size : tail_);
    const CompiledStep& main_step = (has_full ? full_ : last_)->step;
    state_.cost.memory = main_step.memory();
    state_.cost.compile_seconds = main_step.report().seconds;
    order_.resize(static_cast<std::size_t>(dataset_.size()));
    for (Callback* callback : options_.callbacks) callback->on_compiled(trainer_);
    is_running_ = may_run_on();  // compiling takes long enough to be stopped
  }
  row_.reserve(1 + mean_metrics_.size());
  open_files();
  while (is_running_ && state_.position.epochs_done < last_epoch()) run_epoch();
  history_.stopped = state_.position.epochs_done < last_epoch();

  if (has_folder()) {
    if (steps_at_checkpoint_ != state_.position.steps_done) checkpoint();
    if (!state_.table.rows.empty()) write_curves(files_.curves(), state_.table, files_.title());
  }
  state_.cost.seconds_per_step = times_.median();
  state_.cost.step_samples_per_second = per_second(options_.batch_size, times_.median());
  state_.cost.seconds_per_epoch = epoch_times_.median();
  state_.cost.samples_per_second = per_second(dataset_.size(), epoch_times_.median());
  for (Callback* callback : options_.callbacks) callback->on_fit_end(trainer_);
  return std::move(history_);
}

}  // namespace

History Trainer::fit(const data::Dataset& dataset, const FitOptions& options) {
  validate(options);
  return FitLoop(*this, *state_, dataset, options).run();
}

}  // namespace tenon

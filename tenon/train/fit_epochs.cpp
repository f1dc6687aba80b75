// The epochs and steps of a fit.
#include <algorithm>

#include "tenon/base/interruption.h"
#include "tenon/base/text.h"
#include "tenon/train/curves.h"
#include "tenon/train/fit_loop.h"

namespace tenon {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool is_multiple(std::int64_t steps, std::int64_t every) { return every > 0 && steps % every == 0; }

}  // namespace

double MedianTime::median() const {
  std::vector<double> sorted(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(
                                                                  std::min(count_, times_.size())));
  if (sorted.empty()) return 0;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  return *middle;
}

double EpochInfo::value(std::string_view name) const {
  std::vector<std::string> known{"loss"};
  if (name == "loss") return loss;
  for (const auto& [metric, number] : metrics) {
    if (name == metric) return number;
    known.push_back(metric);
  }
  if (validation_loss) {
    known.emplace_back("validation_loss");
    if (name == known.back()) return *validation_loss;
  }
  for (const auto& [metric, number] : validation_metrics) {
    known.push_back("validation_" + metric);
    if (name == known.back()) return number;
  }
  throw UserError(fmt::format("an epoch has no value \"{}\"; one of {} expected", name,
                              fmt::join(known, ", ")));
}

bool EpochInfo::is_lower_better(std::string_view name) const {
  constexpr std::string_view kOfValidation = "validation_";
  if (name.starts_with(kOfValidation)) name.remove_prefix(kOfValidation.size());
  return name == "loss" || std::ranges::find(falling_metrics, name) != falling_metrics.end();
}

double FitLoop::loss() const { return state_.loss_value(state_.batch_sums(*last_run_)); }
double FitLoop::mean_loss() const { return state_.loss_value(state_.sums(*last_run_)); }

std::span<const double> FitLoop::mean_metrics() const {
  const std::span<const double> sums = state_.sums(*last_run_);
  for (std::size_t i = 0; i < mean_metrics_.size(); ++i)
    mean_metrics_[i] = state_.metric_value(sums, i);
  return mean_metrics_;
}

data::Batch FitLoop::batch() const {
  data::Batch batch;
  for (const std::int32_t index : last_run_->host_indices.as<std::int32_t>())
    batch.indices.push_back(index);
  if (const data::Dataset* dataset = source_.dataset()) {
    const std::vector<std::int64_t> indices = batch.indices;
    data::fill_batch(*dataset, indices, batch);
    return batch;
  }
  batch.x = state_.session.download(last_run_->x);
  batch.y = state_.session.download(last_run_->y);
  return batch;
}

data::Batch StepInfo::batch() const { return values->batch(); }

bool FitLoop::is_stop_wanted() const {
  return options_.stop.stop_requested() ||
         std::ranges::any_of(options_.callbacks,
                             [](Callback* callback) { return callback->wants_to_stop(); });
}

bool FitLoop::may_run_on() const {
  if (is_stop_wanted()) return false;
  return options_.max_steps == 0 ||
         state_.position.steps_done - state_.position.first_step < options_.max_steps;
}

// For what may compile a step. False, and the fit is to end, if that was given up.
bool FitLoop::finish_unless_stopped(const std::function<void()>& work) {
  const InterruptionScope scope([this] { return is_stop_wanted(); });
  try {
    work();
    return true;
  } catch (const Interrupted&) {
    is_running_ = false;
    return false;
  }
}

// What was told is of a full batch; few rows may need more, as products are computed another way.
void FitLoop::prepare_short_batch() {
  const CompiledStep* step = feeder_->prepare_rest();
  if (step == nullptr) return;
  const std::int64_t told = state_.cost.memory.total(), needed = step->memory().total();
  if (needed > told)
    log(fmt::format("memory: the short last batch needs {}, {} more than the others",
                    bytes_text(needed), bytes_text(needed - told)));
}

bool FitLoop::is_epoch_full() const {
  return steps_in_epoch_ > 0 && state_.position.step_in_epoch >= steps_in_epoch_;
}

void FitLoop::add_row(bool is_validation, double loss, std::span<const double> metrics) {
  row_.assign(1, loss);
  row_.insert(row_.end(), metrics.begin(), metrics.end());
  const MetricTable::Row row{state_.position.steps_done, state_.position.epochs_done + 1,
                             is_validation};
  state_.table.add(row, row_);
  if (metrics_log_) metrics_log_->add(row, row_);
}

void FitLoop::checkpoint() {
  if (!has_folder()) return;
  if (metrics_log_) metrics_log_->flush();
  state_.callback_states.clear();
  for (const Callback* callback : options_.callbacks)
    if (std::vector<double> state = callback->state(); !state.empty())
      state_.callback_states.push_back(std::move(state));
  state_.save_checkpoint(options_.run_folder);
  steps_at_checkpoint_ = state_.position.steps_done;
}

StepInfo FitLoop::step_info(double seconds) const {
  StepInfo info;
  info.step = state_.position.steps_done;
  info.step_in_epoch = state_.position.step_in_epoch;
  info.epoch = epoch() + 1;
  info.steps_in_epoch = steps_in_epoch_;
  info.total_epochs = options_.epochs;
  if (steps_in_epoch_ > 0)
    info.steps_left = (info.total_epochs - info.epoch) * steps_in_epoch_ +
                      std::max<std::int64_t>(steps_in_epoch_ - info.step_in_epoch, 0);
  if (options_.max_steps > 0) {
    const std::int64_t done = state_.position.steps_done - state_.position.first_step;
    const std::int64_t left = std::max<std::int64_t>(options_.max_steps - done, 0);
    info.steps_left = std::min(info.steps_left.value_or(left), left);
  }
  info.seconds = seconds;
  info.epoch_seconds = seconds_since(epoch_began_);
  info.waiting = waited_in_epoch();
  info.late_batches = feeder_->late_batches();
  info.is_streamed = is_streamed();
  info.values = this;
  return info;
}

void FitLoop::run_step(ReadyStep& step) {
  const Clock::time_point began = Clock::now();
  Position& position = state_.position;
  state_.run(step);
  last_run_ = &step;
  ++position.steps_done;
  ++position.step_in_epoch;
  position.sample_in_pass = feeder_->position();
  epoch_samples_ += feeder_->batch_samples();
  const StepInfo info = step_info(seconds_since(began));
  if (feeder_->batch_samples() == options_.batch_size) times_.add(info.seconds);
  if (++history_.steps == 1) {
    state_.cost.seconds_to_first_step = seconds_since(began_);
    if (options_.max_steps != 1 && steps_in_epoch_ != 1)
      finish_unless_stopped([this] { prepare_short_batch(); });
  }
  if (is_multiple(position.steps_done, options_.log_every)) {
    const std::span<const double> sums = state_.batch_sums(step);
    for (std::size_t i = 0; i < mean_metrics_.size(); ++i)
      mean_metrics_[i] = state_.metric_value(sums, i);
    add_row(false, state_.loss_value(sums), mean_metrics_);
  }
  for (Callback* callback : options_.callbacks)
    if (!callback->on_step_end(trainer_, info)) is_running_ = false;
  // What belongs to the end of an epoch comes there.
  if (is_multiple(position.steps_done, options_.validate_every) && !is_epoch_full())
    validate_within_epoch();
  if (!may_run_on()) is_running_ = false;
  if (is_multiple(position.steps_done, options_.checkpoint_every) && !is_epoch_full()) checkpoint();
}

void FitLoop::validate_within_epoch() {
  Evaluation found;
  const auto validate = [&] { found = state_.evaluate(*options_.validation, 0, options_.loading); };
  if (!finish_unless_stopped(validate)) return;
  std::vector<double> metrics;
  for (const auto& [name, value] : found.metrics) metrics.push_back(value);
  add_row(true, found.loss, metrics);
  const ValidationInfo info{state_.position.steps_done, found.loss, found.metrics};
  for (Callback* callback : options_.callbacks)
    if (!callback->on_validation_end(trainer_, info)) is_running_ = false;
}

void FitLoop::end_epoch(Clock::time_point began) {
  Position& position = state_.position;
  EpochRecord record;
  record.epoch = epoch() + 1;
  record.waiting = waited_in_epoch();
  record.late_batches = feeder_->late_batches();
  const HostTensor sums = state_.session.read(state_.epoch_sums);
  record.train = state_.evaluation_of(sums.as<double>(), epoch_samples_);
  // An epoch whose validation is given up has not ended: a run that goes on begins with it.
  const auto validate = [&] {
    record.validation = state_.evaluate(*options_.validation, 0, options_.loading);
  };
  if (options_.validation && !finish_unless_stopped(validate)) return;
  record.seconds = seconds_since(began);
  const auto add_evaluation = [&](bool is_validation, const Evaluation& evaluation) {
    std::vector<double> metrics;
    for (const auto& [name, value] : evaluation.metrics) metrics.push_back(value);
    add_row(is_validation, evaluation.loss, metrics);
  };
  if (options_.log_every == 0) add_evaluation(false, record.train);
  if (record.validation) add_evaluation(true, *record.validation);
  state_.options.schedule.observe(record.validation ? record.validation->loss : record.train.loss);
  ++position.epochs_done;
  position.step_in_epoch = position.sample_in_pass = 0;
  state_.reset(state_.epoch_sums);

  EpochInfo info;
  info.epoch = record.epoch;
  info.step = position.steps_done;
  info.total_epochs = options_.epochs;
  info.loss = record.train.loss;
  info.metrics = record.train.metrics;
  info.seconds = record.seconds;
  info.training = training_;
  info.waiting = record.waiting;
  info.late_batches = record.late_batches;
  info.is_streamed = is_streamed();
  for (const nn::Metric& metric : state_.options.metrics)
    if (metric.is_lower_better) info.falling_metrics.push_back(metric.name);
  if (record.validation) {
    info.validation_loss = record.validation->loss;
    info.validation_metrics = record.validation->metrics;
  }
  // Before the checkpoint, which keeps what callbacks know.
  for (Callback* callback : options_.callbacks)
    if (!callback->on_epoch_end(trainer_, info)) is_running_ = false;
  if (options_.checkpoint_every == 0 || is_multiple(position.steps_done, options_.checkpoint_every))
    checkpoint();
  if (has_folder()) write_curves(files_.curves(), state_.table, files_.title());
  history_.epochs.push_back(std::move(record));
}

// The workers start on its batches.
void FitLoop::begin_epoch() {
  const Position& position = state_.position;
  feeder_->begin_epoch(static_cast<std::uint64_t>(position.epochs_done), position.step_in_epoch,
                       position.sample_in_pass);
  epoch_samples_ = position.sample_in_pass;
  is_epoch_begun_ = true;
}

void FitLoop::run_epoch() {
  epoch_began_ = Clock::now();
  const Position& position = state_.position;
  const bool is_whole = position.step_in_epoch == 0;
  if (!is_epoch_begun_) begin_epoch();
  is_epoch_begun_ = false;
  opening_ = is_streamed() ? seconds_since(epoch_began_) : 0;
  if (!state_.options.augmentation.is_empty())
    state_.session.write(state_.epoch,
                         make_scalar(static_cast<std::uint32_t>(position.epochs_done)));
  bool is_over = is_epoch_full();
  while (is_running_ && !is_over) {
    ReadyStep* step = nullptr;
    if (!finish_unless_stopped([&] { step = feeder_->next(); })) break;
    if (step != nullptr) run_step(*step);
    is_over = step == nullptr || is_epoch_full();
  }
  training_ = seconds_since(epoch_began_);
  trained_ += training_;
  waited_ += waited_in_epoch();
  if (!is_over) return;
  require(position.step_in_epoch > 0, "fit: \"{}\" gave no batch of {} in epoch {}", source_.name(),
          options_.batch_size, epoch() + 1);
  end_epoch(epoch_began_);
  if (!is_whole) return;
  const double seconds = seconds_since(epoch_began_);
  epoch_times_.add(seconds);
  sample_times_.add(seconds / static_cast<double>(epoch_samples_));
}

}  // namespace tenon

// The training loop.
#include <chrono>

#include "tenon/data/epoch_order.h"
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
  for (const Callback* callback : options.callbacks)
    require(callback != nullptr, "fit: a callback is null");
}

// Times of the last full batches, in memory of fixed size.
class StepTimes {
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

}  // namespace

History Trainer::fit(const data::Dataset& dataset, const FitOptions& options) {
  const Clock::time_point began = Clock::now();
  State& state = *state_;
  validate(options);
  state.require_fits(dataset, "fit");
  if (options.validation) state.require_fits(*options.validation, "fit: validation");
  state.build(dataset);
  if (options.validation) state.require_fits(*options.validation, "fit: validation");

  History history;
  state.first_epoch = state.epochs_done;
  state.last_rows = dataset.size();
  for (Callback* callback : options.callbacks) callback->on_fit_begin(*this);

  ResidentData& data = state.on_device(dataset);
  const std::int64_t size = dataset.size();
  const std::int64_t steps_in_epoch = (size + options.batch_size - 1) / options.batch_size;
  const std::int64_t tail = size % options.batch_size;
  const std::int64_t steps_at_begin = state.steps_done;
  ReadyStep* full = nullptr;
  ReadyStep* last = nullptr;
  if (options.epochs > 0) {
    if (size >= options.batch_size)
      full = &state.training_step(data.x.type(), data.y.type(), options.batch_size);
    if (tail != 0) last = &state.training_step(data.x.type(), data.y.type(), tail);
    const CompiledStep& main_step = (full != nullptr ? full : last)->step;
    state.cost.memory = main_step.memory();
    state.cost.compile_seconds = main_step.report().seconds;
  }

  std::vector<std::int64_t> order(static_cast<std::size_t>(size));
  std::vector<double> mean_metrics(state.options.metrics.size());
  StepTimes times;
  bool running = true;
  if (state.step_in_epoch == 0) state.epoch_means = state.no_means();
  while (running && state.epochs_done < state.first_epoch + options.epochs) {
    const Clock::time_point epoch_began = Clock::now();
    data::fill_epoch_order(order, state.options.seed, static_cast<std::uint64_t>(state.epochs_done),
                           options.shuffle);
    while (running && state.step_in_epoch < steps_in_epoch) {
      const Clock::time_point step_began = Clock::now();
      const std::int64_t first = state.step_in_epoch * options.batch_size;
      const std::int64_t count = std::min(options.batch_size, size - first);
      ReadyStep& step = count == options.batch_size ? *full : *last;
      const double loss = state.run(step, data,
                                    std::span(order).subspan(static_cast<std::size_t>(first),
                                                             static_cast<std::size_t>(count)),
                                    state.epoch_means);
      ++state.steps_done;
      ++state.step_in_epoch;
      ++history.steps;
      if (history.steps == 1) state.cost.seconds_to_first_step = seconds_since(began);
      StepInfo info;
      info.step = state.steps_done;
      info.epoch = state.epochs_done - state.first_epoch + 1;
      info.step_in_epoch = state.step_in_epoch;
      info.steps_in_epoch = steps_in_epoch;
      info.total_epochs = options.epochs;
      info.loss = loss;
      info.seconds = seconds_since(step_began);
      info.mean_loss = state.epoch_means.loss();
      for (std::size_t i = 0; i < mean_metrics.size(); ++i)
        mean_metrics[i] = state.epoch_means.metric(i);
      info.mean_metrics = mean_metrics;
      if (count == options.batch_size) times.add(info.seconds);
      for (Callback* callback : options.callbacks)
        if (!callback->on_step_end(*this, info)) running = false;
      if (options.stop.stop_requested()) running = false;
      if (options.max_steps > 0 && state.steps_done - steps_at_begin >= options.max_steps)
        running = false;
    }
    if (state.step_in_epoch < steps_in_epoch) {
      history.stopped = true;
      break;
    }
    EpochRecord record;
    record.epoch = state.epochs_done - state.first_epoch + 1;
    record.train = state.evaluation_of(state.epoch_means, size);
    ++state.epochs_done;
    state.step_in_epoch = 0;
    state.epoch_means = state.no_means();
    if (options.validation) record.validation = evaluate(*options.validation, options.batch_size);
    record.seconds = seconds_since(epoch_began);
    EpochInfo info{record.epoch,
                   state.steps_done,
                   options.epochs,
                   record.train.loss,
                   record.train.metrics,
                   std::nullopt,
                   {},
                   record.seconds};
    if (record.validation) {
      info.validation_loss = record.validation->loss;
      info.validation_metrics = record.validation->metrics;
    }
    for (Callback* callback : options.callbacks)
      if (!callback->on_epoch_end(*this, info)) running = false;
    history.epochs.push_back(std::move(record));
    if (!running && state.epochs_done < state.first_epoch + options.epochs) history.stopped = true;
  }
  state.cost.seconds_per_step = times.median();
  if (state.cost.seconds_per_step > 0)
    state.cost.samples_per_second =
        static_cast<double>(options.batch_size) / state.cost.seconds_per_step;
  for (Callback* callback : options.callbacks) callback->on_fit_end(*this);
  return history;
}

}  // namespace tenon

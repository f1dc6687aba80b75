#include "tenon/train/trainer.h"

#include <algorithm>

#include "tenon/train/feeder.h"
#include "tenon/train/known_ids.h"

namespace tenon {
namespace {

// Rows are padded up to one of three sizes, so that few predictions are compiled.
std::int64_t prediction_rows(std::int64_t count, std::int64_t batch_size) {
  constexpr std::int64_t kFew = 16;
  if (count <= 1) return 1;
  return std::min(count <= kFew ? kFew : batch_size, std::max<std::int64_t>(batch_size, 1));
}

}  // namespace

double Evaluation::operator[](std::string_view name) const {
  if (name == "loss") return loss;
  for (const auto& [known, value] : metrics)
    if (known == name) return value;
  throw UserError(
      fmt::format("metric \"{}\" was not asked for; list it in TrainerOptions::metrics", name));
}

// The largest batch up to kMost that divides the size, so that one compiled size serves; else the
// usual one.
std::int64_t Trainer::State::evaluation_batch(const data::Source& source,
                                              std::int64_t training_batch) const {
  constexpr std::int64_t kLeast = 64, kUsual = 256, kMost = 1024, kManySamples = 1 << 30;
  const std::int64_t size = source.size().value_or(kManySamples);
  const bool is_limited = options.memory_limit > 0 && training_batch > 0;
  const std::int64_t most = is_limited ? std::min(training_batch, kMost) : kMost;
  if (size <= most) return std::max<std::int64_t>(size, 1);
  for (std::int64_t batch = most; batch >= kLeast; --batch)
    if (size % batch == 0) return batch;
  return std::min(most, kUsual);
}

Trainer::Trainer(nn::Layer model, TrainerOptions options)
    : state_(std::make_unique<State>(std::move(model), std::move(options))) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

void Trainer::build(const data::Source& source) { state_->build(source); }
bool Trainer::is_built() const { return state_->is_built; }
const nn::Layer& Trainer::model() const { return state_->model; }
const TrainerOptions& Trainer::options() const { return state_->options; }
Session& Trainer::session() { return state_->session; }
std::vector<Variable> Trainer::weights() const { return state_->weights; }
const data::Normalization& Trainer::normalization() const { return state_->normalization; }
RowTypes Trainer::row_types() const {
  require(state_->is_built, "row_types: the model has not seen data yet; fit, build or load it");
  return {state_->x_row, state_->y_row};
}
const std::vector<std::string>& Trainer::class_names() const { return state_->class_names; }
bool Trainer::makes_own_targets() const { return state_->makes_own_targets; }
std::int64_t Trainer::steps_done() const { return state_->position.steps_done; }
const TrainingRecord& Trainer::training() const { return state_->training; }
const CostReport& Trainer::cost() const { return state_->cost; }

Evaluation Trainer::evaluate(const data::Source& source, std::int64_t batch_size,
                             const LoadingOptions& loading) {
  require(batch_size >= 0, "evaluate: batch_size must not be negative, got {}", batch_size);
  return state_->evaluate(source, batch_size, loading);
}

Evaluation Trainer::State::evaluate(const data::Source& source, std::int64_t batch_size,
                                    const LoadingOptions& loading) {
  require(is_built, "evaluate: the model has no weights yet; fit, build or load it first");
  require_fits(source, "evaluate", loading);
  if (batch_size == 0) batch_size = evaluation_batch(source, training.batch_size);
  const std::unique_ptr<Feeder> feeder =
      make_feeder(*this, source, {false, batch_size, false, loading});
  reset(evaluation_sums);
  feeder->begin_epoch(0, 0, 0);
  std::int64_t samples = 0;
  while (ReadyStep* const step = feeder->next()) {
    run(*step);
    samples += feeder->batch_samples();
  }
  return evaluation_of(session.read(evaluation_sums).as<double>(), samples);
}

HostTensor Trainer::predict(const HostTensor& x, std::int64_t batch_size) {
  return predict(data::Array(x), batch_size);
}

HostTensor Trainer::predict(const data::Array& x, std::int64_t batch_size) {
  State& state = *state_;
  require(batch_size > 0, "predict: batch_size must be above 0, got {}", batch_size);
  require(state.is_built, "predict: the model has no weights yet; fit, build or load it first");
  const TensorType row{x.dtype(), x.row_shape()};
  require(row == state.x_row, "predict: rows are {}, the model was built for {}{}", row,
          state.x_row, x.type() == state.x_row ? "; give a single sample a leading axis of 1" : "");
  state.require_ids(x, "predict", "input");
  HostTensor result;
  std::int64_t first = 0;
  do {
    const std::int64_t count = std::min(batch_size, x.size() - first);
    const std::int64_t rows = prediction_rows(count, batch_size);
    ReadyStep& step = state.prediction_step(rows);
    HostTensor input(step.step.input_type(0));
    if (count > 0) {
      const data::Array part = x.rows(first, count);
      std::byte* to = input.bytes().data();
      for (std::int64_t i = 0; i < rows; ++i, to += x.row_bytes())  // padding repeats row 0
        std::copy_n(part.data() + static_cast<std::size_t>(i < count ? i : 0) * x.row_bytes(),
                    x.row_bytes(), to);
    }
    const HostTensor output = step.step.run(std::array{HostView(input)}).front();
    require(output.type().rank() > 0 && output.shape()[0] == rows,
            "predict: {} rows gave {}; the model must keep the batch "
            "as its first axis",
            rows, output.type());
    if (first == 0) {
      TensorType type = output.type();
      type.shape[0] = x.size();
      result = HostTensor(type);
    }
    const auto row_bytes = static_cast<std::int64_t>(output.bytes().size()) / rows;
    std::copy_n(output.bytes().begin(), count * row_bytes,
                result.bytes().begin() + first * row_bytes);
    first += batch_size;
  } while (first < x.size());
  return result;
}

std::vector<bool> Trainer::State::trainable() const {
  std::vector<bool> result;
  for (const Variable& weight : weights) result.push_back(weight.is_trainable());
  return result;
}

ReadyStep* Trainer::State::repeated_step(const data::Batch& batch) const {
  if (last_step == nullptr || batch.weights.size() > 0 || last_step->has_weights() ||
      batch.x.type() != last_step->step.input_type(0) ||
      batch.y.type() != last_step->step.input_type(1) || batch.size() != last_step->batch_size() ||
      trainable() != last_trainable)
    return nullptr;
  if (batch.x.dtype() == DType::i32 && first_unknown_id(batch.x.as<std::int32_t>(), ids))
    return nullptr;
  if (batch.y.type().dtype != DType::i32) return last_step;
  const std::int64_t classes = options.loss.targets == nn::TargetKind::two_classes ? 2 : outputs;
  const bool are_classes = std::ranges::all_of(batch.y.as<std::int32_t>(), [&](std::int32_t label) {
    return label >= 0 && label < classes;
  });
  return are_classes ? last_step : nullptr;
}

double Trainer::State::step(ReadyStep& step, const HostView& x, const HostView& y,
                            const HostView& sample_weights, std::span<const std::int64_t> indices) {
  backends::Backend& backend = session.backend();
  backend.lend(step.x, x).wait();
  backend.lend(step.y, y).wait();
  if (step.has_weights()) backend.lend(step.weights, sample_weights).wait();
  write_indices(step, indices);
  run(step);
  ++position.steps_done;
  return loss_value(batch_sums(step));
}

double Trainer::step(const data::Batch& batch) {
  State& state = *state_;
  if (ReadyStep* known = state.repeated_step(batch))
    return state.step(*known, batch.x, batch.y, {}, batch.indices);
  // Looked at as a dataset is, of which only what was converted lives on.
  std::optional<data::Dataset> rows(std::in_place, "batch", batch.x, batch.y);
  const bool has_weights = batch.weights.size() > 0;
  if (has_weights) rows = rows->with_weights(batch.weights);
  state.build(*rows);
  state.require_fits(*rows, "step");
  const data::Array y = rows->y();
  const std::optional<data::Array> weights =
      has_weights ? std::optional(rows->weights()) : std::nullopt;
  rows.reset();
  ReadyStep& step = state.streamed_step(true, batch.x.type(), y.type(), has_weights);
  state.set_compile_cost(step.step);
  state.last_step = &step;
  state.last_trainable = state.trainable();
  std::vector<std::int64_t> indices = batch.indices;
  indices.resize(static_cast<std::size_t>(y.size()));
  return state.step(step, batch.x, y.view(), weights ? weights->view() : HostView(), indices);
}

double Trainer::steps(const data::Dataset& dataset, std::int64_t batch_size,
                      std::span<const std::int64_t> indices) {
  State& state = *state_;
  require(batch_size >= 1, "steps: expected a batch size of 1 or more, got {}", batch_size);
  const auto size = static_cast<std::size_t>(batch_size);
  require(!indices.empty() && indices.size() % size == 0,
          "steps: expected samples for whole batches of {}, got {}", batch_size, indices.size());
  for (const std::int64_t index : indices)
    require(index >= 0 && index < dataset.size(), "steps: there is no sample {}, \"{}\" has {}",
            index, dataset.name(), dataset.size());
  state.build(dataset);
  state.require_fits(dataset, "steps");
  ReadyStep& step = state.resident_step(true, dataset.x().type(), dataset.y().type(), batch_size,
                                        dataset.has_weights());
  const std::shared_ptr<ResidentData> data = state.on_device(dataset);
  state.set_compile_cost(step.step);
  step.inputs[0] = &data->x;
  step.inputs[1] = &data->y;
  if (data->weights) step.inputs[3] = &*data->weights;
  const auto count = static_cast<std::int64_t>(indices.size() / size);
  if (!state.options.schedule.is_constant()) {
    for (std::size_t first = 0; first < indices.size(); first += size) {
      state.write_indices(step, indices.subspan(first, size));
      state.run(step);
      ++state.position.steps_done;
    }
    return state.loss_value(state.batch_sums(step));
  }
  HostTensor all({DType::i32, {count, batch_size}});
  std::ranges::transform(indices, all.as<std::int32_t>().begin(),
                         [](std::int64_t index) { return static_cast<std::int32_t>(index); });
  if (!step.many_indices || step.many_indices.type() != all.type())
    step.many_indices = state.session.backend().allocate({all.type(), {}});
  state.session.backend().write(step.many_indices, all).wait();
  std::array inputs = step.inputs;
  inputs[2] = &step.many_indices;
  step.step.run_many(std::span(inputs).first(step.input_count), 2, count, step.results);
  state.position.steps_done += count;
  return state.loss_value(state.batch_sums(step));
}

const std::vector<std::int64_t>& Trainer::prediction_sizes() const {
  return state_->prediction_sizes;
}

CompiledStep& Trainer::compiled_prediction(std::int64_t rows) {
  require(state_->is_built,
          "compiled_prediction: the model has no weights yet; fit, build or load it first");
  require(rows >= 1, "compiled_prediction: expected 1 row or more, got {}", rows);
  return state_->prediction_step(rows).step;
}

// Of data of as many samples as those of the last fit.
RowTypes Trainer::State::last_data(std::int64_t batch_size, std::string_view purpose) const {
  require(is_built, "{}: the model has no weights yet; fit or build it first", purpose);
  require(batch_size >= 1, "{}: expected a batch size of 1 or more, got {}", purpose, batch_size);
  const std::int64_t rows = std::max<std::int64_t>(last_rows, batch_size);
  RowTypes data{x_row, y_row};
  data.x.shape.insert(data.x.shape.begin(), rows);
  data.y.shape.insert(data.y.shape.begin(), rows);
  return data;
}

const CompiledStep& Trainer::compiled_step(std::int64_t batch_size) {
  const auto [x, y] = state_->last_data(batch_size, "compiled_step");
  return state_->resident_step(true, x, y, batch_size, state_->last_has_weights).step;
}

ir::Graph Trainer::step_graph(std::int64_t batch_size) {
  const auto [x, y] = state_->last_data(batch_size, "step_graph");
  return state_->training_graph(batch_size, State::resident_inputs(x, y, state_->last_has_weights));
}

ir::Graph Trainer::prediction_graph(std::int64_t rows) {
  require(state_->is_built,
          "prediction_graph: the model has no weights yet; fit, build or load it first");
  require(rows >= 1, "prediction_graph: expected 1 row or more, got {}", rows);
  const auto [x, result] = state_->traced_prediction(rows);
  return state_->session.graph(std::array{x}, result);
}

backends::StepMemory Trainer::memory(std::int64_t batch_size) {
  const auto [x, y] = state_->last_data(batch_size, "memory");
  const auto sketch = State::resident_sketch(true, x, y, batch_size, state_->last_has_weights);
  const TrainerOptions& options = state_->options;
  return state_->planned(sketch, options.recompute, options.optimizer, state_->kept_data_bytes())
      .memory;
}

}  // namespace tenon

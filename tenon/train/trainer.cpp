#include "tenon/train/trainer.h"

#include "tenon/train/trainer_state.h"

namespace tenon {

double Evaluation::operator[](std::string_view name) const {
  if (name == "loss") return loss;
  for (const auto& [known, value] : metrics)
    if (known == name) return value;
  throw UserError(
      fmt::format("metric \"{}\" was not asked for; list it in TrainerOptions::metrics", name));
}

Trainer::Trainer(nn::Layer model, TrainerOptions options)
    : state_(std::make_unique<State>(std::move(model), std::move(options))) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

void Trainer::build(const data::Dataset& dataset) { state_->build(dataset); }
bool Trainer::is_built() const { return state_->is_built; }
const nn::Layer& Trainer::model() const { return state_->model; }
const TrainerOptions& Trainer::options() const { return state_->options; }
Session& Trainer::session() { return state_->session; }
std::vector<Variable> Trainer::weights() const { return state_->weights; }
const data::Normalization& Trainer::normalization() const { return state_->normalization; }
const std::vector<std::string>& Trainer::class_names() const { return state_->class_names; }
std::int64_t Trainer::steps_done() const { return state_->steps_done; }
const CostReport& Trainer::cost() const { return state_->cost; }

Evaluation Trainer::evaluate(const data::Dataset& dataset, std::int64_t batch_size) {
  State& state = *state_;
  require(batch_size > 0, "evaluate: batch_size must be above 0, got {}", batch_size);
  state.require_fits(dataset, "evaluate");
  require(state.is_built, "evaluate: the model has no weights yet; fit, build or load it first");
  ResidentData& data = state.on_device(dataset);
  RunningMeans means = state.no_means();
  std::vector<std::int64_t> indices;
  for (std::int64_t first = 0; first < dataset.size(); first += batch_size) {
    const std::int64_t count = std::min(batch_size, dataset.size() - first);
    indices.resize(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) indices[static_cast<std::size_t>(i)] = first + i;
    state.run(state.evaluation_step(data.x.type(), data.y.type(), count), data, indices, means);
  }
  return state.evaluation_of(means, dataset.size());
}

HostTensor Trainer::predict(const HostTensor& x, std::int64_t batch_size) {
  return predict(data::Array(x), batch_size);
}

HostTensor Trainer::predict(const data::Array& x, std::int64_t batch_size) {
  State& state = *state_;
  require(batch_size > 0, "predict: batch_size must be above 0, got {}", batch_size);
  require(state.is_built, "predict: the model has no weights yet; fit, build or load it first");
  const TensorType row{x.dtype(), x.row_shape()};
  require(row == state.x_row, "predict: rows are {}, the model was built for {}", row, state.x_row);
  HostTensor result;
  std::int64_t row_bytes = 0;
  for (std::int64_t first = 0; first < x.size() || first == 0; first += batch_size) {
    // The last batch is filled up with its first row, so that two sizes serve every number of rows.
    const std::int64_t count = std::min(batch_size, x.size() - first);
    const std::int64_t rows = x.size() <= 1 ? 1 : std::min(batch_size, x.size());
    ReadyStep& step = state.prediction_step(rows);
    HostTensor input(step.step.graph().inputs()[0].type);
    if (count > 0) {
      const data::Array part = x.rows(first, count);
      const auto bytes = input.bytes();
      for (std::int64_t i = 0; i < rows; ++i)
        std::copy_n(part.data() + static_cast<std::size_t>(i < count ? i : 0) * x.row_bytes(),
                    x.row_bytes(),
                    bytes.begin() +
                        static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * x.row_bytes()));
    }
    const HostTensor output = step.step.run(std::array{HostView(input)}).front();
    if (first == 0) {
      TensorType type = output.type();
      row_bytes = byte_size(type) / rows;
      type.shape[0] = x.size();
      result = HostTensor(type);
    }
    std::copy_n(output.bytes().begin(), count * row_bytes,
                result.bytes().begin() + first * row_bytes);
    if (x.size() == 0) break;
  }
  return result;
}

double Trainer::step(const data::Batch& batch) {
  State& state = *state_;
  const data::Dataset rows("batch", data::Array(batch.x), data::Array(batch.y));
  state.build(rows);
  state.require_fits(rows, "step");
  ReadyStep& step = state.training_step(batch.x.type(), batch.y.type(), rows.size());
  ResidentData data{rows, state.session.upload(rows.x().view()),
                    state.session.upload(rows.y().view())};
  std::vector<std::int64_t> indices(static_cast<std::size_t>(rows.size()));
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i);
  RunningMeans means = state.no_means();
  const double loss = state.run(step, data, indices, means);
  ++state.steps_done;
  return loss;
}

const CompiledStep& Trainer::compiled_step(std::int64_t batch_size) {
  State& state = *state_;
  require(state.is_built, "compiled_step: the model has no weights yet; fit or build it first");
  const std::int64_t rows = std::max<std::int64_t>(state.last_rows, batch_size);
  TensorType x = state.x_row, y = state.y_row;
  x.shape.insert(x.shape.begin(), rows);
  y.shape.insert(y.shape.begin(), rows);
  return state.training_step(x, y, batch_size).step;
}

}  // namespace tenon

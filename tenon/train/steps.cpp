// Traces the training, evaluation and prediction steps of a Trainer.
#include "tenon/tensor/functions.h"
#include "tenon/train/trainer_state.h"

namespace tenon {
namespace {

std::string step_key(std::string_view purpose, const TensorType& x, const TensorType& y,
                     std::int64_t batch) {
  return fmt::format("{} {} {} {}", purpose, x, y, batch);
}

// The labels as the losses want them: classes stay integers, targets take the working type.
Tensor prepare_target(const Tensor& raw, DType dtype) {
  return is_float(raw.dtype()) ? cast(raw, dtype) : raw;
}

}  // namespace

Trainer::State::State(nn::Layer m, TrainerOptions o)
    : model(std::move(m)),
      options(std::move(o)),
      session(options.device, {options.threads, options.seed, options.cache_folder, options.log,
                               options.keep_texts}) {
  require(options.dtype == DType::f32 || options.dtype == DType::f64,
          "Trainer: dtype must be f32 or f64, got {}", options.dtype);
  require(static_cast<bool>(options.loss.apply), "Trainer: loss \"{}\" has no function",
          options.loss.name);
  for (const nn::Metric& metric : options.metrics)
    require(metric.has_function(), "Trainer: metric \"{}\" has no function", metric.name);
  for (const nn::Metric& metric : options.metrics)
    require(!metric.is_of_classes || options.loss.targets != nn::TargetKind::numbers,
            "Trainer: metric {} is of classes, loss {} is of numbers; leave the metric out, or "
            "choose a loss of classes",
            metric.name, options.loss.name);
  // Two trainers may be given one optimizer; each has moments of its own.
  options.optimizer = options.optimizer.clone();
  if (!options.schedule.is_constant()) {
    learning_rate = options.optimizer.learning_rate();
    first_rate = learning_rate.initial_value(options.seed).as<double>()[0];
  }
  key.define("random/key", {DType::u32, {2}}, VariableKind::key, [](std::uint64_t seed) {
    return make_tensor<std::uint32_t>(
        {2}, {static_cast<std::uint32_t>(seed >> 32), static_cast<std::uint32_t>(seed)});
  });
  step_counter.define("random/step", {DType::i32, {}}, VariableKind::statistic,
                      [](std::uint64_t) { return make_scalar<std::int32_t>(0); });
}

RunningMeans Trainer::State::no_means() const {
  RunningMeans means;
  for (const std::size_t size : metric_sizes) means.metric_sums.emplace_back(size);
  return means;
}

Tensor Trainer::State::prepare(const Tensor& raw) const {
  if (normalization.kind == data::NormalizationKind::none)
    return is_integer(raw.dtype()) && !(raw.dtype() == DType::u8) ? raw : cast(raw, options.dtype);
  // In f32, exactly as Normalization::apply does on the host.
  const Tensor scaled = cast(raw, DType::f32) * constant(normalization.scale);
  return cast(scaled + constant(normalization.offset), options.dtype);
}

namespace {

std::unique_ptr<ReadyStep> ready(Session& session, std::span<const Tensor> placeholders,
                                 const StepResult& result, std::int64_t batch) {
  auto step = std::make_unique<ReadyStep>(
      ReadyStep{session.compile(placeholders, result), {}, {}, {}, {}, {}, {}, false});
  step->host_indices = HostTensor({DType::i32, {batch}});
  step->indices = session.upload(step->host_indices);
  step->indices_view = step->host_indices;
  for (std::size_t i = 0; i < result.fetches.size(); ++i) {
    step->results.push_back(session.backend().allocate({step->step.fetch_type(i), {}}));
    step->host_results.emplace_back(step->step.fetch_type(i));
  }
  for (HostTensor& value : step->host_results) step->result_spans.emplace_back(value);
  return step;
}

// (sum, weight) of the loss, then the sums of each metric.
std::vector<Tensor> sums_of(const nn::WeightedSum& loss, const TrainerOptions& options,
                            const Tensor& prediction, const Tensor& target) {
  std::vector<Tensor> fetches{loss.sum, loss.weight};
  for (const nn::Metric& metric : options.metrics) {
    if (!metric.apply) {
      fetches.push_back(metric.sums(prediction, target, options.loss));
      continue;
    }
    const nn::WeightedSum value = metric.apply(prediction, target, options.loss);
    fetches.push_back(value.sum);
    fetches.push_back(value.weight);
  }
  return fetches;
}

}  // namespace

ReadyStep& Trainer::State::training_step(const TensorType& x, const TensorType& y,
                                         std::int64_t batch) {
  std::string purpose = "train";
  // What is frozen decides what the step updates.
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!weights[i].is_trainable()) purpose += fmt::format(" -{}", i);
  auto& step = steps[step_key(purpose, x, y, batch)];
  if (step) return *step;
  const Tensor all_x = placeholder("x", x), all_y = placeholder("y", y);
  const Tensor indices = placeholder("indices", {DType::i32, {batch}});
  const Tensor target = prepare_target(take(all_y, indices), options.dtype);
  const Tensor step_key_now = random::fold_in(Tensor(key), cast(Tensor(step_counter), DType::u32));
  nn::Context context(nn::Mode::training, step_key_now, options.dtype);
  const Tensor prediction = model.call_as_root(prepare(take(all_x, indices)), context);
  const nn::WeightedSum loss = options.loss.apply(prediction, target, {});
  StepResult result;
  result.fetches = sums_of(loss, options, prediction, target);
  result.updates = context.minimize(loss.sum / loss.weight, options.optimizer);
  result.updates.push_back(assign(step_counter, Tensor(step_counter) + 1));
  step = ready(session, std::array{all_x, all_y, indices}, result, batch);
  step->is_training = true;
  apply_waiting();
  return *step;
}

ReadyStep& Trainer::State::evaluation_step(const TensorType& x, const TensorType& y,
                                           std::int64_t batch) {
  auto& step = steps[step_key("evaluate", x, y, batch)];
  if (step) return *step;
  const Tensor all_x = placeholder("x", x), all_y = placeholder("y", y);
  const Tensor indices = placeholder("indices", {DType::i32, {batch}});
  const Tensor target = prepare_target(take(all_y, indices), options.dtype);
  nn::Context context(nn::Mode::inference, {}, options.dtype);
  const Tensor prediction = model.call_as_root(prepare(take(all_x, indices)), context);
  const nn::WeightedSum loss = options.loss.apply(prediction, target, {});
  step = ready(session, std::array{all_x, all_y, indices},
               {sums_of(loss, options, prediction, target), {}}, batch);
  return *step;
}

ReadyStep& Trainer::State::prediction_step(std::int64_t batch) {
  auto& step = steps[step_key("predict", x_row, {}, batch)];
  if (step) return *step;
  TensorType type = x_row;
  type.shape.insert(type.shape.begin(), batch);
  const Tensor x = placeholder("x", type);
  nn::Context context(nn::Mode::inference, {}, options.dtype);
  step = ready(session, std::array{x}, {{model.call_as_root(prepare(x), context)}, {}}, batch);
  prediction_sizes.push_back(batch);
  return *step;
}

void Trainer::State::require_fits(const data::Dataset& dataset, std::string_view purpose) const {
  require(dataset.size() > 0, "{}: dataset \"{}\" has no samples", purpose, dataset.name());
  require(dataset.has_y(), "{}: dataset \"{}\" has no labels", purpose, dataset.name());
  const bool is_binary = options.loss.targets == nn::TargetKind::two_classes;
  require(!is_binary || !dataset.has_classes() || dataset.class_count() <= 2,
          "{}: loss {} takes the labels 0 and 1, dataset \"{}\" has {} classes; use "
          "sparse_categorical_cross_entropy_from_logits",
          purpose, options.loss.name, dataset.name(), dataset.class_count());
  if (!is_built) return;
  const TensorType row{dataset.x().dtype(), dataset.x().row_shape()};
  require(row == x_row, "{}: samples of \"{}\" are {}, the model was built for {}", purpose,
          dataset.name(), row, x_row);
  const TensorType label{dataset.y().dtype(), dataset.y().row_shape()};
  require(label == y_row, "{}: labels of \"{}\" are {}, the model was built for {}", purpose,
          dataset.name(), label, y_row);
  if (dataset.has_classes() && options.loss.targets == nn::TargetKind::classes)
    require(dataset.class_count() <= outputs,
            "{}: dataset \"{}\" has {} classes, the model's last layer has {} outputs; give it {} "
            "units",
            purpose, dataset.name(), dataset.class_count(), outputs, dataset.class_count());
}

void Trainer::State::build(const data::Dataset& dataset) {
  if (is_built) return;
  require_fits(dataset, "fit");
  const bool images = dataset.x().dtype() == DType::u8;
  normalization = data::Normalization::fit(
      dataset, options.normalization.value_or(images ? data::NormalizationKind::zero_to_one
                                                     : data::NormalizationKind::none));
  x_row = {dataset.x().dtype(), dataset.x().row_shape()};
  y_row = {dataset.y().dtype(), dataset.y().row_shape()};
  class_names = dataset.class_names();
  define_weights();
  // What holds for the model as built, not only for its first data.
  try {
    require_fits(dataset, "fit");
  } catch (const UserError&) {
    is_built = false;
    throw;
  }
}

void Trainer::State::define_weights() {
  TensorType one = x_row, one_y = y_row;
  one.shape.insert(one.shape.begin(), 1);
  one_y.shape.insert(one_y.shape.begin(), 1);
  nn::Context context(nn::Mode::inference, {}, options.dtype);
  const Tensor prediction = model.call_as_root(prepare(placeholder("x", one)), context);
  // A loss that does not fit the last layer is told now, not after compiling.
  const Tensor target = prepare_target(placeholder("y", one_y), options.dtype);
  options.loss.apply(prediction, target, {});
  metric_sizes.clear();
  for (const nn::Metric& metric : options.metrics)
    metric_sizes.push_back(
        metric.apply
            ? 2
            : static_cast<std::size_t>(metric.sums(prediction, target, options.loss).size()));
  outputs = prediction.rank() > 0 ? prediction.extent(-1) : 1;
  weights.assign(context.variables().begin(), context.variables().end());
  table.metrics = metric_names();
  epoch_means = last_step_means = no_means();
  is_built = true;
}

std::shared_ptr<ResidentData> Trainer::State::on_device(const data::Dataset& dataset) {
  for (const auto& known : resident)
    if (known->dataset.x().data() == dataset.x().data() &&
        known->dataset.size() == dataset.size() && known->dataset.y().data() == dataset.y().data())
      return known;
  if (resident.size() >= 2) resident.erase(resident.begin());  // training and validation data stay
  resident.push_back(std::make_shared<ResidentData>(ResidentData{
      dataset, session.upload(dataset.x().view()), session.upload(dataset.y().view())}));
  return resident.back();
}

void RunningMeans::add(const RunningMeans& other) {
  loss_sum += other.loss_sum;
  loss_weight += other.loss_weight;
  for (std::size_t i = 0; i < metric_sums.size(); ++i)
    for (std::size_t k = 0; k < metric_sums[i].size(); ++k)
      metric_sums[i][k] += other.metric_sums[i][k];
}

double Trainer::State::run(ReadyStep& ready_step, ResidentData& data,
                           std::span<const std::int64_t> indices, RunningMeans& means) {
  backends::Backend& backend = session.backend();
  if (ready_step.is_training && !options.schedule.is_constant()) {
    scheduled_rate.as<double>()[0] = options.schedule.rate(position.steps_done, first_rate);
    session.write(learning_rate, scheduled_view);
  }
  std::ranges::transform(indices, ready_step.host_indices.as<std::int32_t>().begin(),
                         [](std::int64_t index) { return static_cast<std::int32_t>(index); });
  backend.write(ready_step.indices, ready_step.indices_view).wait();
  const std::array<backends::Buffer*, 3> inputs = {&data.x, &data.y, &ready_step.indices};
  ready_step.step.run(inputs, ready_step.results);
  const auto read = [&](std::size_t i) -> const HostTensor& {
    backend.read(ready_step.results[i], ready_step.result_spans[i]).wait();
    return ready_step.host_results[i];
  };
  const auto number = [&](std::size_t i) { return element_as_double(read(i), 0); };
  last_step_means.loss_sum = number(0);
  last_step_means.loss_weight = number(1);
  std::size_t next = 2;
  for (std::size_t i = 0; i < options.metrics.size(); ++i) {
    std::vector<double>& sums = last_step_means.metric_sums[i];
    if (options.metrics[i].apply) {
      for (double& sum : sums) sum = number(next++);
      continue;
    }
    const HostTensor& values = read(next++);
    check(values.size() == static_cast<std::int64_t>(sums.size()), "{} sums of metric {}, not {}",
          values.size(), options.metrics[i].name, sums.size());
    for (std::size_t k = 0; k < sums.size(); ++k)
      sums[k] = element_as_double(values, static_cast<std::int64_t>(k));
  }
  means.add(last_step_means);
  return last_step_means.loss();
}

std::vector<std::string> Trainer::State::metric_names() const {
  std::vector<std::string> names;
  for (const nn::Metric& metric : options.metrics) names.emplace_back(metric.name);
  return names;
}

double Trainer::State::metric_value(const RunningMeans& means, std::size_t i) const {
  const std::vector<double>& sums = means.metric_sums[i];
  if (!options.metrics[i].apply) return options.metrics[i].value(sums);
  return sums[1] > 0 ? sums[0] / sums[1] : 0;
}

Evaluation Trainer::State::evaluation_of(const RunningMeans& means, std::int64_t samples) const {
  Evaluation evaluation;
  evaluation.loss = means.loss();
  evaluation.samples = samples;
  for (std::size_t i = 0; i < options.metrics.size(); ++i)
    evaluation.metrics.emplace_back(options.metrics[i].name, metric_value(means, i));
  return evaluation;
}

}  // namespace tenon

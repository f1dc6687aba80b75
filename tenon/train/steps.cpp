// Traces the training, evaluation and prediction steps of a Trainer.
#include <algorithm>

#include "tenon/base/free_memory.h"
#include "tenon/nn/loss_checks.h"
#include "tenon/tensor/build.h"
#include "tenon/tensor/functions.h"
#include "tenon/train/known_ids.h"
#include "tenon/train/traced_step.h"
#include "tenon/train/trainer_state.h"

namespace tenon {
namespace {

// The labels as the losses want them: classes stay integers, targets take the working type.
Tensor prepare_target(const Tensor& raw, DType dtype) {
  return is_float(raw.dtype()) ? cast(raw, dtype) : raw;
}

// The same loss of one-hot or soft targets. UserError if there is none.
nn::Loss loss_of_soft_targets(const nn::Loss& loss) {
  constexpr std::string_view kSparse = "sparse_";
  if (loss.targets == nn::TargetKind::probabilities) return loss;
  require(loss.name.starts_with(kSparse),
          "Trainer: the augmentation mixes samples, which needs a categorical cross entropy; the "
          "loss is {}",
          loss.name);
  return nn::find_loss(loss.name.substr(kSparse.size()));
}

}  // namespace

Trainer::State::State(nn::Layer m, TrainerOptions o)
    : model(std::move(m)),
      options(std::move(o)),
      session(options.device, {.threads = options.threads,
                               .seed = options.seed,
                               .cache_folder = options.cache_folder,
                               .log = options.log,
                               .keep_texts = options.keep_texts,
                               .profile = options.profile,
                               .skip = options.skip}) {
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
  require(options.dtype == DType::f32 || options.precision == PrecisionPolicy::f32,
          "Trainer: precision {} is for weights of f32, dtype is {}",
          passes::name(options.precision), options.dtype);
  // Two trainers may be given one optimizer; each has moments of its own.
  optim::UpdateOptions updates = options.optimizer.options();
  if (options.precision == PrecisionPolicy::fp16 && updates.loss_scale.initial == 0)
    updates.loss_scale.initial = optim::kUsualLossScale;
  options.optimizer = options.optimizer.clone(updates);
  training_loss = options.augmentation.mixes() ? loss_of_soft_targets(options.loss) : options.loss;
  options.schedule = options.schedule.clone();
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
  epoch.define("random/epoch", {DType::u32, {}}, VariableKind::scalar,
               [](std::uint64_t) { return make_scalar<std::uint32_t>(0); });
}

Tensor Trainer::State::prepare(const Tensor& raw) const {
  if (normalization.kind == data::NormalizationKind::none)
    return is_integer(raw.dtype()) && !(raw.dtype() == DType::u8) ? raw : cast(raw, options.dtype);
  // In f32, exactly as Normalization::apply does on the host.
  const Tensor scaled = cast(raw, DType::f32) * constant(normalization.scale);
  return cast(scaled + constant(normalization.offset), options.dtype);
}

// The tensors of a batch in the trace of a step.
struct Trainer::State::StepInputs {
  std::vector<Tensor> placeholders;
  Tensor x, y, indices;         // rows of the batch, raw
  Tensor weights;               // f32 [batch], or empty
  std::int64_t data_bytes = 0;  // of placeholders that hold a whole dataset

  void add(Tensor StepInputs::*part, std::string_view name, const TensorType& type) {
    placeholders.push_back(placeholder(std::string(name), type));
    this->*part = placeholders.back();
  }
};

namespace {

// One f64 vector: the loss with what layers added, spread over its weight, then the metrics.
// `mean`: of the loss.
Tensor sums_of(const nn::Outcome& outcome, const Tensor& mean, const TrainerOptions& options,
               const Tensor& labels, const nn::Context& context) {
  const Tensor target =
      outcome.target.is_empty() ? shaped_target(outcome.prediction, labels) : outcome.target;
  const auto as_vector = [](const Tensor& value) {
    const Tensor exact = cast(value, DType::f64);
    return value.rank() == 0 ? reshape(exact, {1}) : exact;
  };
  Tensor sum = outcome.loss.sum;
  if (!context.losses().empty()) sum = context.total_loss(mean) * outcome.loss.weight;
  mark_origin(sum, outcome.loss.sum, {"loss", ""});
  std::vector<Tensor> parts{as_vector(sum), as_vector(outcome.loss.weight)};
  for (const nn::Metric& metric : options.metrics) {
    if (!metric.apply) {
      parts.push_back(as_vector(metric.sums(outcome.prediction, target, options.loss)));
      continue;
    }
    const nn::WeightedSum value = metric.apply(outcome.prediction, target, options.loss);
    parts.push_back(as_vector(value.sum));
    parts.push_back(as_vector(value.weight));
  }
  const Tensor sums = concatenate(parts, 0);
  mark_origin(sums, outcome.prediction, {"metrics", ""});
  return sums;
}

nn::Outcome outcome_of(const nn::Layer& model, const nn::Loss& loss, const Tensor& x,
                       const Tensor& target, const Tensor& weights, nn::Context& context) {
  if (model.has_own_loss()) return model.learn(x, target, context);
  const Tensor prediction = model.call_as_root(x, context);
  const nn::WeightedSum sums = loss.apply(prediction, shaped_target(prediction, target), weights);
  for (const Tensor& result : {sums.sum, sums.weight})
    mark_origin(result, prediction, {"loss", ""});
  return {prediction, sums};
}

}  // namespace

// Models that draw numbers in evaluation too (a variational autoencoder) draw the same ones for
// every batch.
Tensor Trainer::State::evaluation_key() const {
  constexpr std::uint32_t kEvaluation = 0xffffffff;  // no training step gets so far
  return random::fold_in(Tensor(key), constant(make_scalar<std::uint32_t>(kEvaluation)));
}

Trainer::State::TrainingBatch Trainer::State::augmented(const StepInputs& in, const Tensor& target,
                                                        const Tensor& step_key) const {
  const augment::Augmentation& changes = options.augmentation;
  if (changes.is_empty()) return {prepare(in.x), target};
  const Tensor keys = augment::sample_keys(random::fold_in(Tensor(key), Tensor(epoch)), in.indices);
  if (!changes.mixes()) return {prepare(augment::apply(changes, in.x, keys)), target};
  require(in.weights.is_empty(),
          "Trainer: the augmentation mixes samples, which then have no weights of their own; leave "
          "the sample weights out, or mixup and cutmix");
  const Tensor soft = is_float(target.dtype()) ? target : one_hot(target, outputs, options.dtype);
  const augment::Augmented mixed = augment::apply(changes, in.x, soft, keys, step_key);
  return {prepare(mixed.images), mixed.targets};
}

StepResult Trainer::State::training_result(const StepInputs& in) {
  const Tensor target = prepare_target(in.y, options.dtype);
  const Tensor step_key = random::fold_in(Tensor(key), cast(Tensor(step_counter), DType::u32));
  nn::Context context(nn::Mode::training, step_key, options.dtype);
  const TrainingBatch batch = augmented(in, target, step_key);
  mark_origin(batch.x, {}, {"input", ""});
  const nn::Outcome outcome =
      outcome_of(model, training_loss, batch.x, batch.target, in.weights, context);
  const Tensor mean = nn::mean_of(outcome.loss);
  mark_origin(mean, outcome.loss.sum, {"loss", ""});
  const Tensor sums = sums_of(outcome, mean, options, target, context);
  const Tensor all = Tensor(epoch_sums) + sums;
  StepResult result{{sums, all}, {}};
  result.updates = context.minimize(mean, options.optimizer, outcome.loss.weight);
  result.updates.push_back(assign(step_counter, Tensor(step_counter) + 1));
  result.updates.push_back(assign(epoch_sums, all));
  return result;
}

StepResult Trainer::State::evaluation_result(const StepInputs& in) {
  const Tensor target = prepare_target(in.y, options.dtype);
  nn::Context context(nn::Mode::inference, evaluation_key(), options.dtype);
  const nn::Outcome outcome =
      outcome_of(model, options.loss, prepare(in.x), target, in.weights, context);
  const Tensor sums = sums_of(outcome, nn::mean_of(outcome.loss), options, target, context);
  const Tensor all = Tensor(evaluation_sums) + sums;
  return {{sums, all}, {assign(evaluation_sums, all)}};
}

StepResult Trainer::State::traced(bool is_training, const StepInputs& in) {
  return is_training ? training_result(in) : evaluation_result(in);
}

Trainer::State::PlannedStep Trainer::State::planned(bool is_training, std::int64_t batch,
                                                    const InputsOfBatch& inputs_of,
                                                    RecomputePolicy recompute) {
  const StepInputs in = inputs_of(batch);
  return {session.plan(in.placeholders, traced(is_training, in),
                       step_options(recompute, in.data_bytes)),
          in.data_bytes};
}

ir::Graph Trainer::State::training_graph(std::int64_t batch, const InputsOfBatch& inputs_of) {
  const StepInputs in = inputs_of(batch);
  return session.graph(in.placeholders, traced(true, in),
                       step_options(options.recompute, in.data_bytes));
}

std::string evaluation_note(const backends::CompileReport& report) {
  constexpr double kLongest = 1;
  if (report.seconds <= kLongest) return "";
  return fmt::format("evaluation step: compiled in {:.2f} s", report.seconds);
}

void Trainer::State::set_compile_cost(const CompiledStep& step) {
  cost.memory = step.memory();
  cost.compile_seconds = step.report().seconds;
  cost.was_cached = step.report().was_cached;
}

ReadyStep& Trainer::State::compiled(bool is_training, const std::string& types, std::int64_t batch,
                                    const InputsOfBatch& inputs_of) {
  std::string purpose = is_training ? "train" : "evaluate";
  // What is frozen decides what the step updates.
  for (std::size_t i = 0; is_training && i < weights.size(); ++i)
    if (!weights[i].is_trainable()) purpose += fmt::format(" -{}", i);
  auto& known = steps[fmt::format("{} {}", purpose, types)];
  if (known) return *known;
  if (options.memory_limit > 0)
    require_memory(is_training, batch, [&](std::int64_t rows, RecomputePolicy recompute) {
      return planned(is_training, rows, inputs_of, recompute);
    });
  std::unique_ptr<ReadyStep> step = ready_step(is_training, inputs_of(batch));
  return_freed_memory();  // of the trace
  if (is_training) apply_waiting();
  return *(known = std::move(step));
}

std::unique_ptr<ReadyStep> Trainer::State::ready_step(bool is_training, const StepInputs& in) {
  const StepResult result = traced(is_training, in);
  auto step = std::make_unique<ReadyStep>(
      session.compile(in.placeholders, result, step_options(options.recompute, in.data_bytes)));
  step->is_training = is_training;
  if (const std::string note = evaluation_note(step->step.report());
      !is_training && options.log && !note.empty())
    options.log(note);
  step->host_indices = HostTensor(in.placeholders[2].type());
  step->indices = session.upload(step->host_indices);
  step->indices_view = step->host_indices;
  step->inputs[2] = &step->indices;
  step->input_count = in.placeholders.size();
  step->batch_sums = step->sums = no_sums;
  step->batch_sums_span = step->batch_sums;
  step->sums_span = step->sums;
  for (std::size_t i = 0; i < result.fetches.size(); ++i)
    step->results.push_back(session.backend().allocate({step->step.fetch_type(i), {}}));
  return step;
}

Trainer::State::InputsOfBatch Trainer::State::resident_inputs(const TensorType& x,
                                                              const TensorType& y,
                                                              bool has_weights) {
  return [x, y, has_weights](std::int64_t batch) {
    StepInputs in;
    in.add(&StepInputs::x, "x", x);
    in.add(&StepInputs::y, "y", y);
    in.add(&StepInputs::indices, "indices", {DType::i32, {batch}});
    if (has_weights) in.add(&StepInputs::weights, "weights", {DType::f32, {x.shape.at(0)}});
    for (const Tensor& data : {in.x, in.y, in.weights})
      if (!data.is_empty()) in.data_bytes += byte_size(data.type());
    in.x = take(in.x, in.indices);
    in.y = take(in.y, in.indices);
    if (has_weights) in.weights = take(in.weights, in.indices);
    return in;
  };
}

ReadyStep& Trainer::State::resident_step(bool is_training, const TensorType& x, const TensorType& y,
                                         std::int64_t batch, bool has_weights) {
  return compiled(is_training,
                  fmt::format("{} {} {}{}", x, y, batch, has_weights ? " weighted" : ""), batch,
                  resident_inputs(x, y, has_weights));
}

ReadyStep& Trainer::State::streamed_step(bool is_training, const TensorType& x, const TensorType& y,
                                         bool has_weights) {
  const std::int64_t batch = x.shape.at(0);
  const TensorType weights{DType::f32, {batch}};
  const auto inputs_of = [&](std::int64_t rows) {
    const auto with_rows = [rows](TensorType type) {
      type.shape.at(0) = rows;
      return type;
    };
    StepInputs in;
    in.add(&StepInputs::x, "x", with_rows(x));
    in.add(&StepInputs::y, "y", with_rows(y));
    in.add(&StepInputs::indices, "indices", {DType::i32, {rows}});
    if (has_weights) in.add(&StepInputs::weights, "weights", with_rows(weights));
    return in;
  };
  ReadyStep& step =
      compiled(is_training, fmt::format("{} {} streamed{}", x, y, has_weights ? " weighted" : ""),
               batch, inputs_of);
  if (step.inputs[0] == nullptr) {
    step.x = session.backend().allocate({x, {}});
    step.y = session.backend().allocate({y, {}});
    step.inputs[0] = &step.x;
    step.inputs[1] = &step.y;
    if (has_weights) {
      step.weights = session.backend().allocate({weights, {}});
      step.inputs[3] = &step.weights;
    }
  }
  return step;
}

std::pair<Tensor, StepResult> Trainer::State::traced_prediction(std::int64_t batch) const {
  TensorType type = x_row;
  type.shape.insert(type.shape.begin(), batch);
  const Tensor x = placeholder("x", type);
  nn::Context context(nn::Mode::inference, {}, options.dtype);
  return {x, {{model.call_as_root(prepare(x), context)}, {}}};
}

ReadyStep& Trainer::State::prediction_step(std::int64_t batch) {
  auto& step = steps[fmt::format("predict {} {}", x_row, batch)];
  if (step) return *step;
  {
    const auto [x, result] = traced_prediction(batch);
    step = std::make_unique<ReadyStep>(session.compile(std::array{x}, result));
  }
  return_freed_memory();
  prediction_sizes.push_back(batch);
  return *step;
}

void Trainer::State::require_fits(const data::Source& source, std::string_view purpose,
                                  const LoadingOptions& loading) const {
  require(source.size() != 0, "{}: dataset \"{}\" has no samples", purpose, source.name());
  require(source.has_y(), "{}: dataset \"{}\" has no labels", purpose, source.name());
  const bool has_weights = source.dataset() != nullptr && source.dataset()->has_weights();
  require(
      !has_weights || !model.has_own_loss(),
      "{}: dataset \"{}\" has sample weights; the model has a loss of its own, which takes none",
      purpose, source.name());
  const bool is_binary = options.loss.targets == nn::TargetKind::two_classes;
  require(!is_binary || !source.has_classes() || source.class_count() <= 2,
          "{}: loss {} takes the labels 0 and 1, dataset \"{}\" has {} classes; use "
          "sparse_categorical_cross_entropy_from_logits",
          purpose, options.loss.name, source.name(), source.class_count());
  if (!is_built) return;
  const bool may_differ = loading.padding.has_value() || loading.buckets.has_value();
  const auto fits = [&](const TensorType& row, const TensorType& known) {
    return row == known ||
           (may_differ && row.dtype == known.dtype && row.shape.size() == known.shape.size());
  };
  require(fits(source.x_row(), x_row), "{}: samples of \"{}\" are {}, the model was built for {}",
          purpose, source.name(), source.x_row(), x_row);
  require(fits(source.y_row(), y_row), "{}: labels of \"{}\" are {}, the model was built for {}",
          purpose, source.name(), source.y_row(), y_row);
  if (source.has_classes() && options.loss.targets == nn::TargetKind::classes && !makes_own_targets)
    require(source.class_count() <= outputs,
            "{}: dataset \"{}\" has {} classes, the model's last layer has {} outputs; give it {} "
            "units",
            purpose, source.name(), source.class_count(), outputs, source.class_count());
  if (source.dataset() != nullptr) require_ids(source.dataset()->x(), purpose, source.name());
}

void Trainer::State::require_ids(const data::Array& x, std::string_view purpose,
                                 std::string_view name) const {
  if (x.dtype() != DType::i32 || ids == 0) return;
  const std::span values(reinterpret_cast<const std::int32_t*>(x.data()),
                         static_cast<std::size_t>(element_count(x.type().shape)));
  require_known_ids(values, element_count(x_row.shape), ids, purpose, name);
}

void Trainer::State::build(const data::Source& source) {
  if (is_built) return;
  require_fits(source, "fit");
  const bool images = source.x_row().dtype == DType::u8;
  const auto kind = options.normalization.value_or(images ? data::NormalizationKind::zero_to_one
                                                          : data::NormalizationKind::none);
  const bool needs_samples = source.stream() == nullptr ||
                             kind == data::NormalizationKind::standard ||
                             (kind != data::NormalizationKind::none && !images);
  normalization =
      data::Normalization::fit(needs_samples ? source.sampled() : source.take(1).sampled(), kind);
  x_row = source.x_row();
  y_row = source.y_row();
  class_names = source.class_names();
  define_weights();
  // What holds for the model as built, not only for its first data.
  try {
    require_fits(source, "fit");
  } catch (const UserError&) {
    is_built = false;
    throw;
  }
}

void Trainer::State::define_weights() {
  TensorType one = x_row, one_y = y_row;
  one.shape.insert(one.shape.begin(), 1);
  one_y.shape.insert(one_y.shape.begin(), 1);
  nn::Context context(nn::Mode::inference, evaluation_key(), options.dtype);
  const Tensor target = prepare_target(placeholder("y", one_y), options.dtype);
  // A loss that does not fit the last layer is told now, not after compiling.
  const nn::Outcome outcome =
      outcome_of(model, options.loss, prepare(placeholder("x", one)), target, {}, context);
  const Tensor& prediction = outcome.prediction;
  makes_own_targets = !outcome.target.is_empty();
  const Tensor compared = makes_own_targets ? outcome.target : shaped_target(prediction, target);
  metric_sizes.clear();
  for (const nn::Metric& metric : options.metrics)
    metric_sizes.push_back(
        metric.apply
            ? 2
            : static_cast<std::size_t>(metric.sums(prediction, compared, options.loss).size()));
  ids = known_ids(model);
  outputs = prediction.rank() > 0 ? prediction.extent(-1) : 1;
  weights.assign(context.variables().begin(), context.variables().end());
  table.metrics = metric_names();
  sum_count = 2;
  for (const std::size_t size : metric_sizes) sum_count += size;
  no_sums = HostTensor({DType::f64, {static_cast<std::int64_t>(sum_count)}});
  for (auto [sums, name] : {std::pair{&epoch_sums, "position/epoch_means"},
                            std::pair{&evaluation_sums, "evaluation/sums"}}) {
    *sums = Variable();
    sums->define(name, no_sums.type(), VariableKind::statistic,
                 [zeros = no_sums](std::uint64_t) { return zeros; });
  }
  is_built = true;
}

std::shared_ptr<ResidentData> Trainer::State::on_device(const data::Dataset& dataset) {
  const auto weights_of = [](const data::Dataset& data) {
    return data.has_weights() ? data.weights().data() : nullptr;
  };
  for (const auto& known : resident)
    if (known->dataset.x().data() == dataset.x().data() &&
        known->dataset.size() == dataset.size() &&
        known->dataset.y().data() == dataset.y().data() &&
        weights_of(known->dataset) == weights_of(dataset))
      return known;
  if (resident.size() >= 2) resident.erase(resident.begin());  // training and validation data stay
  resident.push_back(std::make_shared<ResidentData>(ResidentData{
      dataset, session.upload(dataset.x().view()), session.upload(dataset.y().view())}));
  if (dataset.has_weights()) resident.back()->weights = session.upload(dataset.weights().view());
  return resident.back();
}

void Trainer::State::write_indices(ReadyStep& step, std::span<const std::int64_t> indices) {
  std::ranges::transform(indices, step.host_indices.as<std::int32_t>().begin(),
                         [](std::int64_t index) { return static_cast<std::int32_t>(index); });
  session.backend().write(step.indices, step.indices_view).wait();
}

void Trainer::State::run(ReadyStep& step) {
  if (step.is_training && !options.schedule.is_constant()) {
    // Schedules count updates; each of the steps that share one has its rate.
    const std::int64_t update = position.steps_done / options.optimizer.options().accumulate_steps;
    scheduled_rate.as<double>()[0] = options.schedule.rate(update, first_rate);
    session.write(learning_rate, scheduled_view);
  }
  step.step.run(std::span(step.inputs).first(step.input_count), step.results);
}

std::span<const double> Trainer::State::batch_sums(ReadyStep& step) {
  session.backend().read(step.results[0], step.batch_sums_span).wait();
  return step.batch_sums.as<double>();
}

std::span<const double> Trainer::State::sums(ReadyStep& step) {
  session.backend().read(step.results[1], step.sums_span).wait();
  return step.sums.as<double>();
}

std::vector<std::string> Trainer::State::metric_names() const {
  std::vector<std::string> names;
  for (const nn::Metric& metric : options.metrics) names.emplace_back(metric.name);
  return names;
}

double Trainer::State::metric_value(std::span<const double> sums, std::size_t i) const {
  std::size_t first = 2;
  for (std::size_t k = 0; k < i; ++k) first += metric_sizes[k];
  const std::span<const double> own = sums.subspan(first, metric_sizes[i]);
  if (!options.metrics[i].apply) return options.metrics[i].value(own);
  return own[1] > 0 ? own[0] / own[1] : 0;
}

Evaluation Trainer::State::evaluation_of(std::span<const double> sums, std::int64_t samples) const {
  Evaluation evaluation;
  evaluation.loss = loss_value(sums);
  evaluation.samples = samples;
  for (std::size_t i = 0; i < options.metrics.size(); ++i)
    evaluation.metrics.emplace_back(options.metrics[i].name, metric_value(sums, i));
  return evaluation;
}

}  // namespace tenon

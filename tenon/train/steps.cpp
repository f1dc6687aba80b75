// Traces the training, evaluation and prediction steps of a Trainer.
#include "tenon/nn/loss_checks.h"
#include "tenon/tensor/build.h"
#include "tenon/tensor/functions.h"
#include "tenon/train/step_tracing.h"
#include "tenon/train/traced_step.h"

namespace tenon {

Tensor prepare_target(const Tensor& raw, DType dtype) {
  return is_float(raw.dtype()) ? cast(raw, dtype) : raw;
}

Tensor Trainer::State::prepare(const Tensor& raw) const {
  if (normalization.kind == data::NormalizationKind::none)
    return is_integer(raw.dtype()) && !(raw.dtype() == DType::u8) ? raw : cast(raw, options.dtype);
  // In f32, exactly as Normalization::apply does on the host.
  const Tensor scaled = cast(raw, DType::f32) * constant(normalization.scale);
  return cast(scaled + constant(normalization.offset), options.dtype);
}

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

}  // namespace

nn::Outcome outcome_of(const nn::Layer& model, const nn::Loss& loss, const Tensor& x,
                       const Tensor& target, const Tensor& weights, nn::Context& context) {
  if (model.has_own_loss()) return model.learn(x, target, context);
  const Tensor prediction = model.call_as_root(x, context);
  const nn::WeightedSum sums = loss.apply(prediction, shaped_target(prediction, target), weights);
  for (const Tensor& result : {sums.sum, sums.weight})
    mark_origin(result, prediction, {"loss", ""});
  return {prediction, sums};
}

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

StepResult Trainer::State::training_result(const StepInputs& in,
                                           const optim::Optimizer& optimizer) {
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
  result.updates = context.minimize(mean, optimizer, outcome.loss.weight);
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

Trainer::State::PlannedStep Trainer::State::planned(const StepSketch& sketch,
                                                    RecomputePolicy recompute,
                                                    const optim::Optimizer& optimizer,
                                                    std::int64_t kept_bytes) {
  const StepInputs in = sketch.inputs_of(sketch.batch);
  const StepResult result =
      sketch.is_training ? training_result(in, optimizer) : evaluation_result(in);
  return {session.plan(in.placeholders, result, step_options(recompute, in.data_bytes, kept_bytes)),
          in.data_bytes};
}

ir::Graph Trainer::State::training_graph(std::int64_t batch, const InputsOfBatch& inputs_of) {
  const StepInputs in = inputs_of(batch);
  return session.graph(in.placeholders, traced(true, in),
                       step_options(options.recompute, in.data_bytes, kept_data_bytes()));
}

std::pair<Tensor, StepResult> Trainer::State::traced_prediction(std::int64_t batch) const {
  TensorType type = x_row;
  type.shape.insert(type.shape.begin(), batch);
  const Tensor x = placeholder("x", type);
  nn::Context context(nn::Mode::inference, {}, options.dtype);
  return {x, {{model.call_as_root(prepare(x), context)}, {}}};
}

}  // namespace tenon

#include "tenon/train/traced_step.h"

#include "tenon/nn/loss_checks.h"
#include "tenon/tensor/functions.h"

namespace tenon {

HostTensor prepared_inputs(const Trainer& trainer, const data::Array& rows) {
  const DType dtype = trainer.options().dtype;
  const data::Normalization& scaling = trainer.normalization();
  if (scaling.kind != data::NormalizationKind::none)
    return converted(scaling.apply(rows.view()), dtype);
  // Integers that are not scaled are ids of something.
  const bool is_kept = is_integer(rows.dtype()) && rows.dtype() != DType::u8;
  return is_kept ? rows.tensor() : converted(rows.tensor(), dtype);
}

PreparedBatch prepared_batch(const Trainer& trainer, const data::Dataset& rows) {
  PreparedBatch batch{prepared_inputs(trainer, rows.x()), rows.y().tensor()};
  if (is_float(batch.y.dtype())) batch.y = converted(batch.y, trainer.options().dtype);
  if (rows.has_weights()) batch.weights = rows.weights().tensor();
  return batch;
}

std::vector<Feed> PreparedBatch::feeds(const TracedStep& traced) const {
  std::vector<Feed> feeds = {{traced.x, x}, {traced.y, y}};
  if (!traced.sample_weights.is_empty()) feeds.emplace_back(traced.sample_weights, weights);
  return feeds;
}

Tensor shaped_target(const Tensor& prediction, const Tensor& target) {
  const bool lacks_an_axis = is_float(target.dtype()) && prediction.rank() == target.rank() + 1 &&
                             prediction.extent(-1) == 1;
  return lacks_an_axis ? expand_dims(target, -1) : target;
}

TracedStep trace_step(const Trainer& trainer, const PreparedBatch& batch) {
  require(trainer.is_built(), "the model has no weights yet; fit, build or load it first");
  const TrainerOptions& options = trainer.options();
  TracedStep traced;
  traced.x = placeholder("x", batch.x.type());
  traced.y = placeholder("y", batch.y.type());
  traced.step = placeholder("step", {DType::u32, {}});
  if (batch.weights.size() > 0)
    traced.sample_weights = placeholder("weights", batch.weights.type());
  // As the Trainer's own step has it.
  const Tensor key = random::fold_in(
      constant(make_tensor<std::uint32_t>({2}, {static_cast<std::uint32_t>(options.seed >> 32),
                                                static_cast<std::uint32_t>(options.seed)})),
      traced.step);
  nn::Context context(nn::Mode::training, key, options.dtype);
  nn::Outcome outcome;
  if (trainer.model().has_own_loss()) {
    outcome = trainer.model().learn(traced.x, traced.y, context);
  } else {
    outcome.prediction = trainer.model().call_as_root(traced.x, context);
    outcome.loss = options.loss.apply(
        outcome.prediction, shaped_target(outcome.prediction, traced.y), traced.sample_weights);
  }
  traced.loss = context.total_loss(nn::mean_of(outcome.loss));
  for (const Variable& variable : context.variables())
    if (variable.kind() == VariableKind::weight && variable.is_trainable())
      traced.weights.push_back(variable);
  traced.gradients = grad(traced.loss, std::span<const Variable>(traced.weights));
  traced.updates.assign(context.updates().begin(), context.updates().end());
  return traced;
}

std::vector<WeightGradient> gradients_of(Trainer& trainer, const data::Dataset& rows) {
  const PreparedBatch batch = prepared_batch(trainer, rows);
  const TracedStep traced = trace_step(trainer, batch);
  const HostTensor step = make_scalar(static_cast<std::uint32_t>(trainer.steps_done()));
  std::vector<Feed> feeds = batch.feeds(traced);
  feeds.emplace_back(traced.step, step);
  std::vector<HostTensor> values = trainer.session().run(traced.gradients, feeds);
  std::vector<WeightGradient> result;
  for (std::size_t i = 0; i < values.size(); ++i)
    result.push_back({traced.weights[i], std::move(values[i])});
  return result;
}

}  // namespace tenon

#include "tenon/cli/make_trainer.h"

#include <algorithm>

#include "tenon/base/ceil_divide.h"
#include "tenon/base/text.h"
#include "tenon/cli/weight_options.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/sequential.h"
#include "tenon/train/traced_step.h"
#include "tenon/train/transfer.h"

namespace tenon::cli {
namespace {

std::int64_t count_outputs(const data::Source& train, const nn::Loss& loss) {
  require(train.size() != 0, "{}: there are no samples", train.name());
  if (train.has_classes() && loss.targets == nn::TargetKind::classes) {
    require(train.stream() == nullptr || train.class_count() > 0,
            "{}: its classes are integers, but how many there are is not known before all are "
            "read; say it by --classes, or leave --workers out",
            train.name());
    require(train.class_count() > 0, "{}: no sample has a class", train.name());
    return train.class_count();
  }
  return std::max<std::int64_t>(1, element_count(train.y_row().shape));
}

}  // namespace

nn::Layer make_trained_model(const TrainCommand& command, const data::Source& train,
                             const nn::Loss& loss) {
  nn::Layer model = make_model(command.model, train.x_row(), count_outputs(train, loss));
  if (!nn::is_of_classes(loss.targets) || loss.from_logits) return model;
  const nn::ActivationLayer last{loss.targets == nn::TargetKind::two_classes ? nn::sigmoid
                                                                             : nn::softmax};
  if (auto* layers = model.get<nn::Sequential>()) {
    layers->add(last);
    return model;
  }
  return nn::Sequential{model, last};
}

void check_metrics(const TrainCommand& command, const data::Source& train, const nn::Loss& loss,
                   std::span<const std::string> metrics) {
  if (command.metrics.empty() || metrics.empty() || !train.has_y()) return;
  const nn::Layer model = make_trained_model(command, train, loss);
  if (model.has_own_loss()) return;
  const DType dtype = *parse_dtype(command.dtype);
  const Tensor prediction = trace_one_sample(model, train.x_row(), dtype);
  TensorType label = train.y_row();
  if (!is_integer(label.dtype)) label.dtype = dtype;
  label.shape.insert(label.shape.begin(), 1);
  const Tensor target = shaped_target(prediction, placeholder("y", label));
  try {
    for (const std::string& name : metrics) {
      const nn::Metric metric = nn::find_metric(name);
      if (metric.apply)
        metric.apply(prediction, target, loss);
      else
        metric.sums(prediction, target, loss);
    }
  } catch (const UserError& error) {
    refuse_option("--metrics", "{}", error.what());
  }
}

TrainerOptions trainer_options(const TrainCommand& command, const nn::Loss& loss,
                               std::int64_t steps) {
  TrainerOptions options;
  options.loss = loss;
  options.dtype = *parse_dtype(command.dtype);
  options.optimizer = make_optimizer(command.optimizer, options.dtype);
  const std::int64_t accumulated = options.optimizer.options().accumulate_steps;
  options.schedule = make_schedule(command.optimizer, ceil_divide(steps, accumulated));
  options.device = command.device.device;
  options.seed = command.seed;
  options.threads = static_cast<int>(command.device.threads);
  if (!command.normalize.empty())
    options.normalization = data::parse_normalization_kind(command.normalize);
  set_trainer_options(command.loop, options);
  return options;
}

Trainer make_step_trainer(const TrainCommand& command, const data::Dataset& dataset,
                          TrainerOptions options) {
  const nn::Loss loss = options.loss;
  check_model_options(command, make_trained_model(command, dataset, loss),
                      {dataset.x().dtype(), dataset.x().row_shape()});
  Trainer trainer(with_penalties(make_trained_model(command, dataset, loss), command.loss_options),
                  std::move(options));
  trainer.build(dataset);
  check_weight_options(command, trainer, dataset);
  prepare_weights(trainer, command, dataset);
  return trainer;
}

void prepare_weights(Trainer& trainer, const TrainCommand& command, const data::Source& train) {
  if (command.initial.empty() && command.freeze.empty()) return;
  trainer.build(train);
  const bool is_own = command.weights_map.empty() && command.skip_weights.empty();
  if (!command.initial.empty() && is_own) trainer.load_weights(command.initial);
  if (!command.initial.empty() && !is_own)
    load_pretrained(trainer, command.initial, {command.weights_map, command.skip_weights});
  if (command.freeze.empty()) return;
  try {
    freeze(trainer, command.freeze);
  } catch (const UserError& error) {
    refuse_option("--freeze", "{}", error.what());
  }
  if (std::ranges::none_of(trainer.weights(),
                           [](const Variable& weight) { return weight.is_trainable(); }))
    refuse_option("--freeze", "{} leaves no weight to train", join(command.freeze, " and "));
}

}  // namespace tenon::cli

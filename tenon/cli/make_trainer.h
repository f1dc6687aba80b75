// The model, the trainer's options and the first weights that the options of a training say.
#pragma once
#include <span>
#include <string>

#include "tenon/cli/train_options.h"
#include "tenon/data/source.h"

namespace tenon::cli {

// With as many outputs as the labels need, and a softmax or a sigmoid if the loss is of
// probabilities. OptionError if the model does not take such samples, UserError for data without
// samples or classes.
nn::Layer make_trained_model(const TrainCommand& command, const data::Source& train,
                             const nn::Loss& loss);
// OptionError if a metric that the options name does not take what the model gives.
void check_metrics(const TrainCommand& command, const data::Source& train, const nn::Loss& loss,
                   std::span<const std::string> metrics);
// Without metrics and where to log. `steps`: of the whole training, for the schedule.
TrainerOptions trainer_options(const TrainCommand& command, const nn::Loss& loss,
                               std::int64_t steps);
// The trainer of a step without a training around it, with its weights: its loss is that of
// `options`, which trainer_options gave.
Trainer make_step_trainer(const TrainCommand& command, const data::Dataset& dataset,
                          TrainerOptions options);
// Loads and freezes weights as the options say.
void prepare_weights(Trainer& trainer, const TrainCommand& command, const data::Source& train);

}  // namespace tenon::cli

// Options that name weights or change the size of samples, checked before the first step.
#pragma once
#include "tenon/cli/train_options.h"

namespace tenon::cli {

// Builds a trainer if options name its weights. OptionError naming the option for patterns that no
// weight is of, and for axes that a constrained weight lacks.
void check_weight_options(const TrainCommand& command, Trainer& trainer, const data::Source& train);

// `model`: a new one without penalties, which is traced. OptionError for penalties of no weight,
// and for --augment where samples are no images or the model cannot take both the changed ones and
// those that it is evaluated on.
void check_model_options(const TrainCommand& command, const nn::Layer& model,
                         const TensorType& row);

}  // namespace tenon::cli

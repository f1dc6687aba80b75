// The options of a loss: what its name does not say.
#pragma once
#include <string>
#include <vector>

#include "tenon/cli/options.h"
#include "tenon/data/source.h"
#include "tenon/nn/loss.h"
#include "tenon/nn/penalty.h"

namespace tenon::cli {

struct LossOptions {
  std::vector<nn::PenaltyOptions> penalties;
  std::string class_weights;
};

// --penalty and --class-weights.
void add_loss_options(CLI::App& app, LossOptions& options);

// The model with the penalties as terms of its loss; names of weights stay.
nn::Layer with_penalties(nn::Layer model, const LossOptions& options);
// The loss with a weight for each class; "balanced": samples / (classes * samples of the class), as
// scikit-learn has it. OptionError if the loss or the labels have no classes, a class has no sample
// to be balanced by, or the weights are not one for each class.
nn::Loss with_class_weights(const nn::Loss& loss, const LossOptions& options,
                            const data::Source& train);

}  // namespace tenon::cli

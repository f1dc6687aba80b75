// A training step before its update, as tensors: for looking at gradients and at single values.
#pragma once
#include <vector>

#include "tenon/train/trainer.h"

namespace tenon {

// What the Trainer's step computes for one batch, traced anew.
struct TracedStep {
  Tensor x, y;            // placeholders of a batch, as prepared_batch gives it
  Tensor sample_weights;  // a placeholder too; empty if the samples have none
  Tensor step;            // placeholder, u32 scalar: training steps done before, for random numbers
  Tensor loss;            // the mean, with what layers add
  std::vector<Variable> weights;  // of the model, the trainable ones
  std::vector<Tensor> gradients;  // of the loss, one for each
  std::vector<Update> updates;    // of layers' statistics, not of the optimizer
};

// The rows of a dataset as the model takes them: scaled, of the model's element type; labels that
// are classes stay integers.
struct PreparedBatch {
  HostTensor x, y;
  HostTensor weights = {};  // of the samples; f32[0] if they have none

  std::vector<Feed> feeds(const TracedStep& traced) const;  // all but the step
};
HostTensor prepared_inputs(const Trainer& trainer, const data::Array& rows);
PreparedBatch prepared_batch(const Trainer& trainer, const data::Dataset& rows);

// Targets that are numbers, one for each sample [batch], as a model of one output gives its
// predictions, [batch, 1]; all others as they are.
Tensor shaped_target(const Tensor& prediction, const Tensor& target);

// UserError before build or fit, and if the batch does not fit the model.
TracedStep trace_step(const Trainer& trainer, const PreparedBatch& batch);

// The gradient of the mean loss over these rows for each trainable weight, at the weights of now,
// with layers as they are in training; nothing is updated.
struct WeightGradient {
  Variable weight;
  HostTensor gradient;
};
std::vector<WeightGradient> gradients_of(Trainer& trainer, const data::Dataset& rows);

}  // namespace tenon

// WeightedSum: what a loss or a metric is made of, and Outcome, what a model with its own loss
// gives.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon::nn {

// Value = sum / weight; both are float scalars.
struct WeightedSum {
  Tensor sum;
  Tensor weight;
};

// Of one batch.
struct Outcome {
  Tensor prediction;
  WeightedSum loss;
  // What metrics compare the prediction with, of a model that learns from something else than the
  // labels (masked tokens); empty: the labels.
  Tensor target{};
};

}  // namespace tenon::nn

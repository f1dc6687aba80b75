// Losses and metrics as weighted sums, divided once at the end: exact for short batches,
// accumulation and data parallelism.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon::nn {

// Value = sum / weight; both are float scalars.
struct WeightedSum {
  Tensor sum;
  Tensor weight;
};

struct Loss {
  std::string_view name;
  bool from_logits;  // predictions are logits, so a metric's threshold is 0 and not 0.5
  // prediction [batch, ...], target as each loss says, sample_weight [batch] or empty.
  // UserError, naming the loss, if the target does not fit the prediction.
  WeightedSum (*apply)(const Tensor& prediction, const Tensor& target, const Tensor& sample_weight);
};

// Targets are integer classes [batch...]; predictions [batch..., classes].
extern const Loss sparse_categorical_cross_entropy_from_logits;
extern const Loss sparse_categorical_cross_entropy;  // of probabilities, clipped at 1e-7
// Targets are probabilities of the predictions' shape (one-hot or soft).
extern const Loss categorical_cross_entropy_from_logits;
extern const Loss categorical_cross_entropy;
// Targets in [0, 1] (or bool, integer) of the predictions' shape, or without the last axis of 1.
extern const Loss binary_cross_entropy_from_logits;
extern const Loss binary_cross_entropy;
extern const Loss mean_squared_error;

// UserError listing the known names.
const Loss& find_loss(std::string_view name);

struct Metric {
  std::string_view name;
  WeightedSum (*apply)(const Tensor& prediction, const Tensor& target, const Loss& loss);
};
// Categorical (largest prediction is the target class) for predictions [..., classes], binary
// (threshold 0.5, or 0 for logits) where prediction and target shapes agree or the last axis is 1.
extern const Metric accuracy;
const Metric& find_metric(std::string_view name);

}  // namespace tenon::nn

// Losses and metrics as weighted sums, divided once at the end: exact for short batches,
// accumulation and data parallelism.
#pragma once
#include <functional>
#include <string>

#include "tenon/tensor/tensor.h"

namespace tenon::nn {

// Value = sum / weight; both are float scalars.
struct WeightedSum {
  Tensor sum;
  Tensor weight;
};

// One of those below, or of your own (docs/extending.md): a name and any function.
struct Loss {
  std::string name;
  bool from_logits = false;  // predictions are logits, so a metric's threshold is 0 and not 0.5
  // prediction [batch, ...], target as each loss says, sample_weight [batch] or empty.
  // UserError, naming the loss, if the target does not fit the prediction.
  std::function<WeightedSum(const Tensor& prediction, const Tensor& target,
                            const Tensor& sample_weight)>
      apply;
};

// UserError listing the known names.
const Loss& find_loss(std::string_view name);

// Targets are integer classes [batch...]; predictions [batch..., classes].
inline const Loss sparse_categorical_cross_entropy_from_logits =
    find_loss("sparse_categorical_cross_entropy_from_logits");
// Of probabilities, clipped at 1e-7.
inline const Loss sparse_categorical_cross_entropy = find_loss("sparse_categorical_cross_entropy");
// Targets are probabilities of the predictions' shape (one-hot or soft).
inline const Loss categorical_cross_entropy_from_logits =
    find_loss("categorical_cross_entropy_from_logits");
inline const Loss categorical_cross_entropy = find_loss("categorical_cross_entropy");
// Targets in [0, 1] (or bool, integer) of the predictions' shape, or without the last axis of 1.
inline const Loss binary_cross_entropy_from_logits = find_loss("binary_cross_entropy_from_logits");
inline const Loss binary_cross_entropy = find_loss("binary_cross_entropy");
inline const Loss mean_squared_error = find_loss("mean_squared_error");

// One of those below, or of your own: a name and any function.
struct Metric {
  std::string name;
  std::function<WeightedSum(const Tensor& prediction, const Tensor& target, const Loss& loss)>
      apply;
};

const Metric& find_metric(std::string_view name);

// Categorical (largest prediction is the target class) for predictions [..., classes], binary
// (threshold 0.5, or 0 for logits) where prediction and target shapes agree or the last axis is 1.
inline const Metric accuracy = find_metric("accuracy");

}  // namespace tenon::nn

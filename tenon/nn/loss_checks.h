// What the losses and metrics share: checked targets, logarithms of probabilities, and sums with
// the samples' weights.
#pragma once
#include "tenon/nn/loss.h"

namespace tenon::nn {

// Probabilities kept 1e-7 away from 0 and 1, before a logarithm.
Tensor clipped(const Tensor& p);
// Along the last axis; of logits by log_softmax, of probabilities clipped.
Tensor log_probabilities(const Tensor& p, bool from_logits);
// -(t log q + (1 - t) log(1 - q)) of each element, q being the probability.
Tensor binary_cross_entropies(const Tensor& p, const Tensor& targets, bool from_logits);

// Of a (focal) cross entropy, by its name.
TargetKind targets_of_cross_entropy(std::string_view name);

// Sum over elements of loss * weight, and of the weights. `losses` is [batch, ...]; a weight per
// sample repeats over the other axes. `element_weights`, of the losses' shape or empty, is already
// in the losses and goes into the sum of weights only.
WeightedSum weighted_sum(const Tensor& losses, const Tensor& sample_weight, std::string_view name,
                         const Tensor& element_weights = {});

// Sum / weight, a scalar; 0 without a gradient where nothing counts, for weights that are all 0.
Tensor mean_of(const WeightedSum& sums);

void require_float_prediction(const Tensor& prediction, std::string_view name);

// Integer classes [batch...] for predictions [batch..., classes]. UserError naming the loss.
Tensor class_labels(const Tensor& prediction, const Tensor& target, std::string_view name);

// 1 for labels that count, 0 for negative ones, which losses of classes leave out; empty for labels
// of a type without sign.
Tensor weights_of_presence(const Tensor& labels, DType dtype);

// The target in the prediction's type and shape. UserError naming the loss.
Tensor same_shape_target(const Tensor& prediction, const Tensor& target, std::string_view name);

}  // namespace tenon::nn

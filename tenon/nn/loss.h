// Losses as weighted sums, divided once at the end: exact for short batches, accumulation and data
// parallelism.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tenon/nn/weighted_sum.h"

namespace tenon::nn {

struct Metric;

// What a loss is of; `any` for a loss of your own that says nothing.
enum class TargetKind : std::uint8_t { any, classes, probabilities, two_classes, numbers };
bool is_of_classes(TargetKind targets);

// One of those below, or of your own (docs/extending.md): a name and any function.
struct Loss {
  std::string name;
  bool from_logits = false;  // predictions are logits, so a metric's threshold is 0 and not 0.5
  // prediction [batch, ...], target as each loss says, sample_weight [batch] or empty.
  // UserError, naming the loss, if the target does not fit the prediction.
  std::function<WeightedSum(const Tensor& prediction, const Tensor& target,
                            const Tensor& sample_weight)>
      apply;
  TargetKind targets = TargetKind::any;

  // The mean of the loss as a metric of the same name: .metrics = {nn::mean_absolute_error}.
  operator Metric() const;
};

// By name, with numbers after it: "huber:delta=0.5". UserError listing the known names or options.
Loss find_loss(std::string_view name);

// Targets are integer classes [batch...]; predictions [batch..., classes]. Negative targets are
// left out of the mean (data::kNoClass; F.cross_entropy's ignore_index).
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

struct CrossEntropyOptions {
  // Targets become (1 - s) t + s / classes; binary ones (1 - s) t + s / 2. Szegedy et al. 2016.
  double label_smoothing = 0;
  // One for each class, two for a binary loss. The terms of class c count w[c] times, and the mean
  // is over the weights of the targets' classes, as F.cross_entropy(weight=w) has it.
  std::vector<double> class_weights{};
};
// One of the six cross entropies above with options. UserError for other losses, a smoothing
// outside [0, 1) and weights that are negative, not finite or not one for each class.
Loss cross_entropy(const Loss& plain, const CrossEntropyOptions& options);

// Cross entropies of which confident elements count less, by (1 - p)^gamma for the probability p of
// the target. Lin et al. 2017, "Focal Loss". `alpha` weighs class 1 and 1 - alpha class 0 (binary;
// negative: no weights). Gamma is 0, or 1 or more.
Loss binary_focal_cross_entropy_from_logits(double gamma = 2, double alpha = -1);
Loss binary_focal_cross_entropy(double gamma = 2, double alpha = -1);
Loss sparse_categorical_focal_cross_entropy_from_logits(double gamma = 2);
Loss sparse_categorical_focal_cross_entropy(double gamma = 2);
Loss categorical_focal_cross_entropy_from_logits(double gamma = 2);
Loss categorical_focal_cross_entropy(double gamma = 2);

// Sum over the last axis of t (log t - log p), targets being probabilities; 0 log 0 is 0.
inline const Loss kl_divergence_from_logits = find_loss("kl_divergence_from_logits");
inline const Loss kl_divergence = find_loss("kl_divergence");

// Of numbers of the predictions' shape, a mean over all elements.
inline const Loss mean_squared_error = find_loss("mean_squared_error");
inline const Loss mean_absolute_error = find_loss("mean_absolute_error");
// Quadratic for errors up to delta, linear beyond: e^2 / 2, delta (|e| - delta / 2). Huber 1964.
Loss huber(double delta = 1);
// 1 - x.y / (|x| |y|) along the last axis: 1 - PyTorch's cosine_similarity, Keras' loss plus 1.
inline const Loss cosine_similarity = find_loss("cosine_similarity");

// max(0, 1 - y p) for y of -1 and 1; a target of 0 (or false) is -1. The threshold of p is 0.
inline const Loss hinge = find_loss("hinge");

}  // namespace tenon::nn

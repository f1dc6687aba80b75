// Focal cross entropies. Lin et al. 2017, "Focal Loss for Dense Object Detection".
#include <cmath>

#include "tenon/base/text.h"
#include "tenon/nn/loss_checks.h"
#include "tenon/nn/loss_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

// (1 - p)^gamma from 1 - p.
Tensor modulation(const Tensor& rest, double gamma) {
  if (gamma == 1) return rest;
  return gamma == 2 ? square(rest) : power(rest, gamma);
}

WeightedSum binary_focal(const Tensor& p, const Tensor& t, const Tensor& w, const std::string& name,
                         bool from_logits, double gamma, double alpha) {
  const Tensor targets = same_shape_target(p, t, name);
  const Tensor q = from_logits ? tenon::sigmoid(p) : clipped(p);
  Tensor losses = binary_cross_entropies(p, targets, from_logits);
  if (gamma != 0) losses = losses * modulation(q * (1.0f - targets) + (1.0f - q) * targets, gamma);
  if (alpha >= 0) losses = losses * (alpha * targets + (1 - alpha) * (1.0f - targets));
  return weighted_sum(losses, w, name);
}

// Of log-probabilities.
Tensor categorical_focal(const Tensor& logs, double gamma) {
  return gamma == 0 ? -logs : -logs * modulation(-expm1(logs), gamma);
}

WeightedSum sparse_focal(const Tensor& p, const Tensor& t, const Tensor& w, const std::string& name,
                         bool from_logits, double gamma, double) {
  const Tensor labels = class_labels(p, t, name);
  const Tensor chosen = squeeze(take_along_axis(log_probabilities(p, from_logits),
                                                expand_dims(cast(labels, DType::i32), -1), -1),
                                {-1});
  Tensor losses = categorical_focal(chosen, gamma);
  const Tensor present = weights_of_presence(labels, p.dtype());
  if (!present.is_empty()) losses = where(present > 0.0, losses, zeros_like(losses));
  return weighted_sum(losses, w, name, present);
}

WeightedSum dense_focal(const Tensor& p, const Tensor& t, const Tensor& w, const std::string& name,
                        bool from_logits, double gamma, double) {
  const Tensor targets = same_shape_target(p, t, name);
  const Tensor each = categorical_focal(log_probabilities(p, from_logits), gamma);
  return weighted_sum(sum(targets * each, {-1}), w, name);
}

}  // namespace

Loss make_focal(const std::string& base, double gamma, double alpha) {
  // Between 0 and 1 the gradient at a certain prediction is infinite.
  require(std::isfinite(gamma) && (gamma == 0 || gamma >= 1),
          "{}: gamma must be 0, or 1 or more, got {}", base, gamma);
  require(alpha <= 1, "{}: alpha must be at most 1 (negative: no weights), got {}", base, alpha);
  Loss loss;
  loss.name = base;
  if (gamma != 2) loss.name += fmt::format(":gamma={}", gamma);
  if (alpha >= 0) loss.name += fmt::format(":alpha={}", alpha);
  loss.from_logits = base.ends_with("_from_logits");
  loss.targets = targets_of_cross_entropy(base);
  const auto sums = loss.targets == TargetKind::two_classes ? binary_focal
                    : loss.targets == TargetKind::classes   ? sparse_focal
                                                            : dense_focal;
  loss.apply = [sums, base, from_logits = loss.from_logits, gamma, alpha](
                   const Tensor& p, const Tensor& t, const Tensor& w) {
    return sums(p, t, w, base, from_logits, gamma, alpha);
  };
  return loss;
}

Loss binary_focal_cross_entropy_from_logits(double gamma, double alpha) {
  return make_focal("binary_focal_cross_entropy_from_logits", gamma, alpha);
}
Loss binary_focal_cross_entropy(double gamma, double alpha) {
  return make_focal("binary_focal_cross_entropy", gamma, alpha);
}
Loss sparse_categorical_focal_cross_entropy_from_logits(double gamma) {
  return make_focal("sparse_categorical_focal_cross_entropy_from_logits", gamma, -1);
}
Loss sparse_categorical_focal_cross_entropy(double gamma) {
  return make_focal("sparse_categorical_focal_cross_entropy", gamma, -1);
}
Loss categorical_focal_cross_entropy_from_logits(double gamma) {
  return make_focal("categorical_focal_cross_entropy_from_logits", gamma, -1);
}
Loss categorical_focal_cross_entropy(double gamma) {
  return make_focal("categorical_focal_cross_entropy", gamma, -1);
}

}  // namespace tenon::nn

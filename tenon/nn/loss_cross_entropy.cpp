// Cross entropies, of logits and of probabilities, with smoothed labels and weights of classes.
#include <cmath>

#include "tenon/base/text.h"
#include "tenon/nn/loss_checks.h"
#include "tenon/nn/loss_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

// [classes] in the prediction's type. UserError unless there is one for each class.
Tensor weights_of_classes(const std::vector<double>& weights, std::int64_t classes, DType dtype,
                          const std::string& name) {
  require(static_cast<std::int64_t>(weights.size()) == classes,
          "{}: expected a class weight for each of {} classes, got {}", name, classes,
          weights.size());
  return cast(constant(make_tensor<double>({classes}, std::span<const double>(weights))), dtype);
}

WeightedSum sparse_cross_entropy(const Tensor& p, const Tensor& t, const Tensor& w,
                                 const std::string& name, bool from_logits,
                                 const CrossEntropyOptions& options) {
  const Tensor labels = class_labels(p, t, name);
  const double smoothing = options.label_smoothing;
  Tensor losses;
  if (from_logits) {
    losses = sparse_cross_entropy_with_logits(p, labels);
  } else {
    const Tensor chosen =
        squeeze(take_along_axis(p, expand_dims(cast(labels, DType::i32), -1), -1), {-1});
    losses = -log(clipped(chosen));
  }
  Tensor all_costs;
  Tensor weights_of_labels = weights_of_presence(labels, p.dtype());
  if (!weights_of_labels.is_empty())
    losses = where(weights_of_labels > 0.0, losses, zeros_like(losses));
  if (smoothing > 0) {
    all_costs = -log_probabilities(p, from_logits);
    if (!weights_of_labels.is_empty())
      all_costs = where(expand_dims(weights_of_labels, -1) > 0.0, all_costs, zeros_like(all_costs));
  }
  if (!options.class_weights.empty()) {
    const Tensor weights = weights_of_classes(options.class_weights, p.extent(-1), p.dtype(), name);
    const Tensor chosen = take(weights, cast(labels, DType::i32));
    losses = losses * chosen;
    weights_of_labels = weights_of_labels.is_empty() ? chosen : chosen * weights_of_labels;
    if (smoothing > 0) all_costs = all_costs * weights;
  }
  if (smoothing > 0)
    losses = (1 - smoothing) * losses +
             smoothing / static_cast<double>(p.extent(-1)) * sum(all_costs, {-1});
  return weighted_sum(losses, w, name, weights_of_labels);
}

WeightedSum dense_cross_entropy(const Tensor& p, const Tensor& t, const Tensor& w,
                                const std::string& name, bool from_logits,
                                const CrossEntropyOptions& options) {
  const Tensor targets = same_shape_target(p, t, name);
  const double smoothing = options.label_smoothing;
  Tensor terms = targets;
  if (smoothing > 0)
    terms = (1 - smoothing) * terms + smoothing / static_cast<double>(p.extent(-1));
  Tensor weights_of_rows;
  if (!options.class_weights.empty()) {
    const Tensor weights = weights_of_classes(options.class_weights, p.extent(-1), p.dtype(), name);
    terms = terms * weights;
    weights_of_rows = sum(targets * weights, {-1});
  }
  return weighted_sum(-sum(terms * log_probabilities(p, from_logits), {-1}), w, name,
                      weights_of_rows);
}

WeightedSum two_class_cross_entropy(const Tensor& p, const Tensor& t, const Tensor& w,
                                    const std::string& name, bool from_logits,
                                    const CrossEntropyOptions& options) {
  const Tensor truth = same_shape_target(p, t, name);
  const double smoothing = options.label_smoothing;
  const Tensor targets = smoothing > 0 ? (1 - smoothing) * truth + smoothing / 2 : truth;
  if (options.class_weights.empty())
    return weighted_sum(binary_cross_entropies(p, targets, from_logits), w, name);
  const double zero = options.class_weights[0], one = options.class_weights[1];
  const Tensor weights = zero + (one - zero) * truth;
  const Tensor cost_of_one = from_logits ? tenon::softplus(-p) : -log(clipped(p));
  const Tensor cost_of_zero = from_logits ? tenon::softplus(p) : -log1p(-clipped(p));
  return weighted_sum(one * targets * cost_of_one + zero * (1.0f - targets) * cost_of_zero, w, name,
                      weights);
}

}  // namespace

Loss make_cross_entropy(const std::string& base, const CrossEntropyOptions& options) {
  const double smoothing = options.label_smoothing;
  require(smoothing >= 0 && smoothing < 1, "{}: label_smoothing must be in [0, 1), got {}", base,
          smoothing);
  for (const double weight : options.class_weights)
    require(weight >= 0 && std::isfinite(weight), "{}: class weights must not be negative, got {}",
            base, weight);
  const TargetKind targets = targets_of_cross_entropy(base);
  const bool is_binary = targets == TargetKind::two_classes;
  require(!is_binary || options.class_weights.empty() || options.class_weights.size() == 2,
          "{}: expected a class weight for each of 2 classes, got {}", base,
          options.class_weights.size());
  Loss loss;
  loss.name = base;
  if (smoothing > 0) loss.name += fmt::format(":label_smoothing={}", smoothing);
  if (!options.class_weights.empty())
    loss.name += fmt::format(":class_weights={}", join(options.class_weights, "/"));
  loss.from_logits = base.ends_with("_from_logits");
  loss.targets = targets;
  const auto sums = is_binary                        ? two_class_cross_entropy
                    : targets == TargetKind::classes ? sparse_cross_entropy
                                                     : dense_cross_entropy;
  loss.apply = [sums, base, from_logits = loss.from_logits, options](
                   const Tensor& p, const Tensor& t, const Tensor& w) {
    return sums(p, t, w, base, from_logits, options);
  };
  return loss;
}

Loss cross_entropy(const Loss& plain, const CrossEntropyOptions& options) {
  for (const std::string_view kind : {"sparse_categorical", "categorical", "binary"})
    for (const std::string_view end : {"_cross_entropy", "_cross_entropy_from_logits"})
      if (plain.name == fmt::format("{}{}", kind, end))
        return make_cross_entropy(plain.name, options);
  throw UserError(fmt::format(
      "cross_entropy: {} takes no label smoothing and no class weights; the (sparse_)categorical "
      "and binary cross entropies without options do",
      in_quotes(plain.name)));
}

Loss make_kl_divergence(const std::string& name) {
  const bool from_logits = name.ends_with("_from_logits");
  return {.name = name,
          .from_logits = from_logits,
          .apply =
              [name, from_logits](const Tensor& p, const Tensor& t, const Tensor& w) {
                const Tensor targets = same_shape_target(p, t, name);
                const Tensor logs = log_probabilities(p, from_logits);
                // 0 log 0 is 0, and so is its gradient.
                const Tensor safe = where(targets > 0.0f, targets, 1.0f);
                return weighted_sum(sum(targets * (log(safe) - logs), {-1}), w, name);
              },
          .targets = TargetKind::probabilities};
}

}  // namespace tenon::nn

#include "tenon/nn/loss_checks.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

// For predictions that kept axes of the samples, [batch, 28, classes] of images, say.
constexpr std::string_view kFlattenFirst =
    "the prediction has more axes than one row for each sample; put nn::Flatten{} first";

}  // namespace

Tensor clipped(const Tensor& p) {
  constexpr double kClip = 1e-7;
  return clip(p, kClip, 1 - kClip);
}

Tensor log_probabilities(const Tensor& p, bool from_logits) {
  return from_logits ? tenon::log_softmax(p) : log(clipped(p));
}

Tensor binary_cross_entropies(const Tensor& p, const Tensor& targets, bool from_logits) {
  if (from_logits) return tenon::softplus(p) - targets * p;
  const Tensor q = clipped(p);
  return -(targets * log(q) + (1.0f - targets) * log1p(-q));
}

TargetKind targets_of_cross_entropy(std::string_view name) {
  if (name.starts_with("binary")) return TargetKind::two_classes;
  return name.starts_with("sparse") ? TargetKind::classes : TargetKind::probabilities;
}

WeightedSum weighted_sum(const Tensor& losses, const Tensor& sample_weight, std::string_view name,
                         const Tensor& element_weights) {
  if (sample_weight.is_empty())
    return {sum(losses), element_weights.is_empty()
                             ? full({}, static_cast<double>(losses.size()), losses.dtype())
                             : sum(element_weights)};
  require(losses.rank() >= 1 && sample_weight.shape() == Shape{losses.extent(0)},
          "{}: sample weights must be [{}], got {}", name,
          losses.rank() >= 1 ? losses.extent(0) : 1, sample_weight.type());
  Shape shape(losses.shape().size(), 1);
  shape[0] = losses.extent(0);
  const Tensor weights =
      broadcast_to(reshape(cast(sample_weight, losses.dtype()), shape), losses.shape());
  return {sum(losses * weights),
          sum(element_weights.is_empty() ? weights : weights * element_weights)};
}

Tensor mean_of(const WeightedSum& sums) {
  // The divisor is chosen, not the quotient: the gradient of 0 / 0 is no number either.
  return sums.sum / where(sums.weight == 0.0, ones_like(sums.weight), sums.weight);
}

void require_float_prediction(const Tensor& prediction, std::string_view name) {
  require(is_float(prediction.dtype()), "{}: predictions must be float, got {}", name,
          prediction.description());
}

Tensor class_labels(const Tensor& prediction, const Tensor& target, std::string_view name) {
  require_float_prediction(prediction, name);
  require(prediction.rank() >= 1 && prediction.extent(-1) > 0,
          "{}: expected predictions [batch, classes], got {}", name, prediction.description());
  Shape expected(prediction.shape().begin(), prediction.shape().end() - 1);
  require(is_integer(target.dtype()),
          "{}: targets must be integer classes of shape {}, got {}\n    prediction {}\n  help: "
          "for one-hot or soft targets use {}",
          name, tenon::to_string(expected), target.description(), prediction.description(),
          name.starts_with("sparse_") ? name.substr(std::string_view("sparse_").size())
                                      : "a dense loss");
  Tensor labels = target;
  if (labels.rank() == prediction.rank() && labels.extent(-1) == 1) labels = squeeze(labels, {-1});
  require(
      labels.shape() == expected,
      "{}: targets do not fit predictions\n    prediction {}\n    target     {}\n  help: {}", name,
      prediction.description(), target.description(),
      prediction.rank() > labels.rank() + 1
          ? std::string(kFlattenFirst)
          : fmt::format("expected one class for each row, shape {}", tenon::to_string(expected)));
  return labels;
}

Tensor weights_of_presence(const Tensor& labels, DType dtype) {
  if (!is_signed(labels.dtype())) return {};
  return cast(labels >= Tensor(0), dtype);
}

Tensor same_shape_target(const Tensor& prediction, const Tensor& target, std::string_view name) {
  require_float_prediction(prediction, name);
  Tensor values = cast(target, prediction.dtype());
  if (values.rank() + 1 == prediction.rank() && prediction.extent(-1) == 1)
    values = expand_dims(values, -1);
  const bool keeps_sample_axes =
      prediction.rank() > target.rank() + 1 ||
      (is_float(target.dtype()) && prediction.rank() > std::max<std::int64_t>(target.rank(), 2));
  require(values.shape() == prediction.shape(),
          "{}: targets do not fit predictions\n    prediction {}\n    target     {}\n  help: {}",
          name, prediction.description(), target.description(),
          keeps_sample_axes ? kFlattenFirst
          : is_integer(target.dtype()) && target.rank() + 1 == prediction.rank()
              ? "for integer classes use a sparse loss, or one_hot(target, classes)"
              : "give the last layer as many units as a target has values");
  return values;
}

}  // namespace tenon::nn

#include "tenon/nn/loss.h"

#include "tenon/nn/unknown_name.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr double kProbabilityClip = 1e-7;
// For predictions that kept axes of the samples, [batch, 28, classes] of images, say.
constexpr std::string_view kFlattenFirst =
    "the prediction has more axes than one row for each sample; put nn::Flatten{} first";

// Sum over elements of loss * weight, and of the weights. `losses` is [batch, ...]; a weight per
// sample repeats over the other axes.
WeightedSum weighted_sum(const Tensor& losses, const Tensor& sample_weight, std::string_view name) {
  if (sample_weight.is_empty())
    return {sum(losses), full({}, static_cast<double>(losses.size()), losses.dtype())};
  require(losses.rank() >= 1 && sample_weight.shape() == Shape{losses.extent(0)},
          "{}: sample weights must be [{}], got {}", name,
          losses.rank() >= 1 ? losses.extent(0) : 1, sample_weight.type());
  Shape shape(losses.shape().size(), 1);
  shape[0] = losses.extent(0);
  const Tensor weights =
      broadcast_to(reshape(cast(sample_weight, losses.dtype()), shape), losses.shape());
  return {sum(losses * weights), sum(weights)};
}

void require_float_prediction(const Tensor& prediction, std::string_view name) {
  require(is_float(prediction.dtype()), "{}: predictions must be float, got {}", name,
          prediction.description());
}

// Integer classes [batch...] for predictions [batch..., classes].
Tensor class_labels(const Tensor& prediction, const Tensor& target, std::string_view name) {
  require_float_prediction(prediction, name);
  require(prediction.rank() >= 1 && prediction.extent(-1) > 0,
          "{}: expected predictions [batch, classes], got {}", name, prediction.description());
  Shape expected(prediction.shape().begin(), prediction.shape().end() - 1);
  require(is_integer(target.dtype()),
          "{}: targets must be integer classes of shape {}, got {}\n    prediction {}\n  help: "
          "for one-hot or soft targets use {}",
          name, tenon::to_string(expected), target.description(), prediction.description(),
          name == "accuracy" ? "a dense loss" : name.substr(std::string_view("sparse_").size()));
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

WeightedSum sparse_from_logits(const Tensor& p, const Tensor& t, const Tensor& w) {
  const Tensor labels = class_labels(p, t, "sparse_categorical_cross_entropy_from_logits");
  return weighted_sum(sparse_cross_entropy_with_logits(p, labels), w,
                      "sparse_categorical_cross_entropy_from_logits");
}

WeightedSum sparse_from_probabilities(const Tensor& p, const Tensor& t, const Tensor& w) {
  const Tensor labels = class_labels(p, t, "sparse_categorical_cross_entropy");
  const Tensor chosen =
      squeeze(take_along_axis(p, expand_dims(cast(labels, DType::i32), -1), -1), {-1});
  return weighted_sum(-log(clip(chosen, kProbabilityClip, 1 - kProbabilityClip)), w,
                      "sparse_categorical_cross_entropy");
}

WeightedSum dense_from_logits(const Tensor& p, const Tensor& t, const Tensor& w) {
  const Tensor targets = same_shape_target(p, t, "categorical_cross_entropy_from_logits");
  return weighted_sum(-sum(targets * tenon::log_softmax(p), {-1}), w,
                      "categorical_cross_entropy_from_logits");
}

WeightedSum dense_from_probabilities(const Tensor& p, const Tensor& t, const Tensor& w) {
  const Tensor targets = same_shape_target(p, t, "categorical_cross_entropy");
  const Tensor logs = log(clip(p, kProbabilityClip, 1 - kProbabilityClip));
  return weighted_sum(-sum(targets * logs, {-1}), w, "categorical_cross_entropy");
}

WeightedSum binary_from_logits(const Tensor& p, const Tensor& t, const Tensor& w) {
  const Tensor targets = same_shape_target(p, t, "binary_cross_entropy_from_logits");
  return weighted_sum(tenon::softplus(p) - targets * p, w, "binary_cross_entropy_from_logits");
}

WeightedSum binary_from_probabilities(const Tensor& p, const Tensor& t, const Tensor& w) {
  const Tensor targets = same_shape_target(p, t, "binary_cross_entropy");
  const Tensor q = clip(p, kProbabilityClip, 1 - kProbabilityClip);
  return weighted_sum(-(targets * log(q) + (1.0f - targets) * log1p(-q)), w,
                      "binary_cross_entropy");
}

WeightedSum squared_error(const Tensor& p, const Tensor& t, const Tensor& w) {
  return weighted_sum(squared_difference(p, same_shape_target(p, t, "mean_squared_error")), w,
                      "mean_squared_error");
}

WeightedSum accuracy_sum(const Tensor& prediction, const Tensor& target, const Loss& loss) {
  require_float_prediction(prediction, "accuracy");
  Tensor hits;
  const bool one_output = prediction.rank() >= 1 && prediction.extent(-1) == 1;
  const bool sparse = is_integer(target.dtype()) && target.shape() != prediction.shape();
  if (one_output || (!sparse && loss.name.starts_with("binary"))) {
    const Tensor truth = same_shape_target(prediction, target, "accuracy") > 0.5f;
    hits = equal(prediction > (loss.from_logits ? 0.0f : 0.5f), truth);
  } else if (sparse) {
    const Tensor labels = class_labels(prediction, target, "accuracy");
    hits = equal(cast(argmax(prediction, -1), DType::i64), cast(labels, DType::i64));
  } else {
    hits = equal(argmax(prediction, -1),
                 argmax(same_shape_target(prediction, target, "accuracy"), -1));
  }
  return {sum(cast(hits, DType::f32)), full({}, static_cast<double>(hits.size()))};
}

}  // namespace

// Inside functions, so that globals of other files may be made from them.
const Loss& find_loss(std::string_view name) {
  static const std::array kLosses = {
      Loss{"sparse_categorical_cross_entropy_from_logits", true, sparse_from_logits},
      Loss{"sparse_categorical_cross_entropy", false, sparse_from_probabilities},
      Loss{"categorical_cross_entropy_from_logits", true, dense_from_logits},
      Loss{"categorical_cross_entropy", false, dense_from_probabilities},
      Loss{"binary_cross_entropy_from_logits", true, binary_from_logits},
      Loss{"binary_cross_entropy", false, binary_from_probabilities},
      Loss{"mean_squared_error", false, squared_error}};
  std::vector<std::string_view> known;
  for (const Loss& loss : kLosses) {
    if (loss.name == name) return loss;
    known.push_back(loss.name);
  }
  throw_unknown("loss", name, known);
}

const Metric& find_metric(std::string_view name) {
  static const Metric kAccuracy{"accuracy", accuracy_sum};
  if (name == kAccuracy.name) return kAccuracy;
  throw_unknown("metric", name, std::array<std::string_view, 1>{kAccuracy.name});
}

}  // namespace tenon::nn

// Metrics of classes: accuracies, precision, recall, F1, area under the curve, confusion matrix.
#include <array>

#include "tenon/base/text.h"
#include "tenon/nn/loss_checks.h"
#include "tenon/nn/metric_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

// What was predicted and what is true; of two classes bool, otherwise the classes in i32.
struct Decisions {
  Tensor predicted, truth;
  bool is_binary = false;
  std::int64_t classes = 2;
  Tensor present{};  // bool; empty: all count
};

// Whether the target holds classes, one for each row of outputs.
bool holds_classes(const Tensor& prediction, const Tensor& target) {
  return is_integer(target.dtype()) && target.shape() != prediction.shape();
}

Decisions decide(const Tensor& prediction, const Tensor& target, const Loss& loss,
                 std::string_view name) {
  require_float_prediction(prediction, name);
  const bool one_output = prediction.rank() >= 1 && prediction.extent(-1) == 1;
  const bool sparse = holds_classes(prediction, target);
  if (one_output || (!sparse && loss.targets == TargetKind::two_classes)) {
    const Tensor truth = same_shape_target(prediction, target, name) > 0.5f;
    return {prediction > (loss.from_logits ? 0.0f : 0.5f), truth, true, 2};
  }
  const Tensor truth = sparse ? cast(class_labels(prediction, target, name), DType::i32)
                              : argmax(same_shape_target(prediction, target, name), -1);
  return {argmax(prediction, -1), truth, false, prediction.extent(-1)};
}

Tensor count_where(const Tensor& condition) { return sum(cast(condition, DType::f32)); }

WeightedSum accuracy_sum(const Tensor& prediction, const Tensor& target, const Loss& loss) {
  const Decisions found = decide(prediction, target, loss, "accuracy");
  const Tensor hits = equal(found.predicted, found.truth);
  const Tensor present = found.is_binary ? Tensor() : weights_of_presence(found.truth, DType::f32);
  return {count_where(hits),
          present.is_empty() ? full({}, static_cast<double>(hits.size())) : sum(present)};
}

// Of class 1 among two, from one output or from two.
Decisions decide_of_two(const Tensor& prediction, const Tensor& target, const Loss& loss,
                        const std::string& name, const std::string& of_more) {
  const Decisions found = decide(prediction, target, loss, name);
  if (found.is_binary) return found;
  require(found.classes == 2,
          "{}: expected two classes, got predictions {}\n  help: for {} classes use {}", name,
          prediction.description(), found.classes, of_more);
  const Tensor present = found.truth >= 0;
  return {logical_and(equal(found.predicted, 1), present), equal(found.truth, 1), true, 2, present};
}

WeightedSum binary_rate(const Tensor& prediction, const Tensor& target, const Loss& loss,
                        const std::string& name) {
  const Decisions found = decide_of_two(prediction, target, loss, name, "macro_" + name);
  const Tensor hits = count_where(logical_and(found.predicted, found.truth));
  const Tensor predicted = count_where(found.predicted), there = count_where(found.truth);
  if (name == "precision") return {hits, predicted};
  if (name == "recall") return {hits, there};
  return {2.0f * hits, predicted + there};
}

double quotient(double numerator, double denominator) {
  return denominator > 0 ? numerator / denominator : 0;
}

using Rate = double (*)(double hits, double predicted, double there);

double mean_rate(std::span<const double> sums, Rate rate) {
  const std::size_t classes = sums.size() / 3;
  double total = 0, seen = 0;
  for (std::size_t i = 0; i < classes; ++i) {
    const double hits = sums[i], predicted = sums[classes + i], there = sums[2 * classes + i];
    if (predicted + there == 0) continue;
    total += rate(hits, predicted, there);
    ++seen;
  }
  return quotient(total, seen);
}

// How sure a model is of class 1, and whether that is the class.
struct Scores {
  Tensor values, is_one;
  Tensor present{};  // f32; empty: all count
};

Scores scores_of(const Tensor& prediction, const Tensor& target, const Loss& loss,
                 std::string_view name) {
  require_float_prediction(prediction, name);
  require(prediction.rank() >= 1, "{}: expected predictions [batch, ...], got {}", name,
          prediction.description());
  const bool is_sparse = holds_classes(prediction, target) && prediction.extent(-1) != 1;
  const bool has_output_of_each =
      is_sparse || loss.targets == TargetKind::classes || loss.targets == TargetKind::probabilities;
  if (!has_output_of_each)
    return {loss.from_logits ? tenon::sigmoid(prediction) : prediction,
            same_shape_target(prediction, target, name) > 0.5f};
  require(prediction.extent(-1) == 2, "{}: expected two classes, got predictions {} of loss {}",
          name, prediction.description(), loss.name);
  const Tensor of_one = index(prediction, 1, -1);
  const Tensor values =
      loss.from_logits ? tenon::sigmoid(of_one - index(prediction, 0, -1)) : of_one;
  if (!is_sparse) return {values, index(same_shape_target(prediction, target, name), 1, -1) > 0.5f};
  const Tensor labels = class_labels(prediction, target, name);
  return {values, equal(cast(labels, DType::i32), 1), weights_of_presence(labels, DType::f32)};
}

Tensor score_histograms(const Tensor& prediction, const Tensor& target, const Loss& loss,
                        std::int64_t bins, std::string_view name) {
  const Scores scores = scores_of(prediction, target, loss, name);
  const double last = static_cast<double>(bins - 1);
  const Tensor places = cast(clip(round(flatten(scores.values) * last), 0.0f, last), DType::i32);
  const Tensor ones = flatten(cast(scores.is_one, DType::f32));
  Tensor zeros = 1.0f - ones;
  if (!scores.present.is_empty()) zeros = zeros * flatten(scores.present);
  return concatenate(std::array{segment_sum(ones, places, bins), segment_sum(zeros, places, bins)});
}

// The chance that a positive is above a negative, ties counting half (Mann and Whitney 1947).
double area_under_curve(std::span<const double> sums) {
  const std::size_t bins = sums.size() / 2;
  double positives = 0, negatives = 0, pairs = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    pairs += sums[i] * (negatives + sums[bins + i] / 2);
    positives += sums[i];
    negatives += sums[bins + i];
  }
  return quotient(pairs, positives * negatives);
}

// The sum of precisions, each times what the recall grows by, from the largest score down.
double average_precision(std::span<const double> sums) {
  const std::size_t bins = sums.size() / 2;
  double hits = 0, predicted = 0, total = 0;
  for (std::size_t i = bins; i-- > 0;) {
    hits += sums[i];
    predicted += sums[i] + sums[bins + i];
    total += sums[i] * quotient(hits, predicted);
  }
  return quotient(total, hits);
}

Metric score_metric(const std::string& name, std::int64_t bins,
                    double (*value)(std::span<const double>)) {
  require(bins >= 2 && bins <= 1'000'000, "{}: bins must be from 2 to 1000000, got {}", name, bins);
  return {.name = bins == 1000 ? name : fmt::format("{}:bins={}", name, bins),
          .sums =
              [bins, name](const Tensor& prediction, const Tensor& target, const Loss& loss) {
                return score_histograms(prediction, target, loss, bins, name);
              },
          .value = value,
          .is_of_classes = true};
}

}  // namespace

// [hits, predicted, there], each [classes].
Tensor counts_of_classes(const Tensor& prediction, const Tensor& target, const Loss& loss,
                         const std::string& name) {
  const Decisions found = decide(prediction, target, loss, name);
  const Tensor truth = flatten(cast(found.truth, DType::i32));
  // Where there is no class, no prediction counts either.
  const Tensor predicted = where(truth >= 0, flatten(cast(found.predicted, DType::i32)), -1);
  const Tensor hits = cast(equal(predicted, truth), DType::f32);
  const Tensor each = ones_like(hits);
  return concatenate(std::array{segment_sum(hits, truth, found.classes),
                                segment_sum(each, predicted, found.classes),
                                segment_sum(each, truth, found.classes)});
}

Metric make_accuracy() {
  return {.name = "accuracy", .apply = accuracy_sum, .is_of_classes = true};
}

Metric top_k_accuracy(std::int64_t k) {
  require(k >= 1, "top_k_accuracy: k must be 1 or more, got {}", k);
  const auto apply = [k](const Tensor& prediction, const Tensor& target,
                         const Loss& loss) -> WeightedSum {
    const Decisions found = decide(prediction, target, loss, "top_k_accuracy");
    require(!found.is_binary && k <= found.classes,
            "top_k_accuracy: the largest {} of {} outputs asked for, predictions are {}", k,
            prediction.rank() > 0 ? prediction.extent(-1) : 1, prediction.description());
    const Tensor label = expand_dims(found.truth, -1);
    const Tensor score = take_along_axis(prediction, label, -1);
    // Classes that come before the target's; a score that is not a number comes before nothing.
    const Tensor places = iota(prediction.shape(), -1);
    const Tensor before =
        logical_or(prediction > score, logical_and(equal(prediction, score), less(places, label)));
    const Tensor rank = sum(cast(before, DType::i32), {-1});
    const Tensor hits =
        logical_and(rank < static_cast<int>(k), logical_not(is_nan(squeeze(score, {-1}))));
    const Tensor present = weights_of_presence(found.truth, DType::f32);
    return {count_where(logical_and(hits, present > 0.0f)), sum(present)};
  };
  return {.name = k == 5 ? "top_k_accuracy" : fmt::format("top_k_accuracy:k={}", k),
          .apply = apply,
          .is_of_classes = true};
}

Metric make_binary_rate(const std::string& name) {
  return {.name = name,
          .apply = [name](const Tensor& prediction, const Tensor& target,
                          const Loss& loss) { return binary_rate(prediction, target, loss, name); },
          .is_of_classes = true};
}

Metric make_macro_rate(const std::string& name) {
  const Rate precision_rate = [](double hits, double predicted, double) {
    return quotient(hits, predicted);
  };
  const Rate recall_rate = [](double hits, double, double there) { return quotient(hits, there); };
  const Rate f1_rate = [](double hits, double predicted, double there) {
    return quotient(2 * hits, predicted + there);
  };
  const Rate rate = name == "macro_precision" ? precision_rate
                    : name == "macro_recall"  ? recall_rate
                                              : f1_rate;
  return {.name = name,
          .sums =
              [name](const Tensor& prediction, const Tensor& target, const Loss& loss) {
                return counts_of_classes(prediction, target, loss, name);
              },
          .value = [rate](std::span<const double> sums) { return mean_rate(sums, rate); },
          .is_of_classes = true};
}

Metric roc_auc(std::int64_t bins) { return score_metric("roc_auc", bins, area_under_curve); }
Metric pr_auc(std::int64_t bins) { return score_metric("pr_auc", bins, average_precision); }

Metric make_specificity() {
  const auto apply = [](const Tensor& prediction, const Tensor& target,
                        const Loss& loss) -> WeightedSum {
    const Decisions found =
        decide_of_two(prediction, target, loss, "specificity", "balanced_accuracy");
    Tensor negative = logical_not(found.truth);
    if (!found.present.is_empty()) negative = logical_and(negative, found.present);
    return {count_where(logical_and(logical_not(found.predicted), negative)),
            count_where(negative)};
  };
  return {.name = "specificity", .apply = apply, .is_of_classes = true};
}

Tensor confusion_matrix(const Tensor& prediction, const Tensor& target, const Loss& loss) {
  const Decisions found = decide(prediction, target, loss, "confusion_matrix");
  const Tensor places = flatten(cast(found.truth, DType::i32)) * static_cast<int>(found.classes) +
                        flatten(cast(found.predicted, DType::i32));
  const Tensor counts =
      segment_sum(tenon::ones(places.shape()), places, found.classes * found.classes);
  return reshape(counts, {found.classes, found.classes});
}

}  // namespace tenon::nn

// Metrics of how predicted classes agree with the true ones, from three counts of each class.
#include <cmath>

#include "tenon/nn/metric_families.h"
#include "tenon/tensor/tensor.h"

namespace tenon::nn {
namespace {

// Of each class: how often it was predicted and true, predicted, true.
struct ClassCounts {
  std::span<const double> hits, predicted, there;

  explicit ClassCounts(std::span<const double> sums)
      : hits(sums.first(sums.size() / 3)),
        predicted(sums.subspan(hits.size(), hits.size())),
        there(sums.last(hits.size())) {}

  double sum(std::span<const double> a) const {
    double total = 0;
    for (const double value : a) total += value;
    return total;
  }
  double product(std::span<const double> a, std::span<const double> b) const {
    double total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
    return total;
  }
};

// 0 where it has no meaning.
double ratio(double numerator, double denominator) {
  return denominator > 0 ? numerator / denominator : 0;
}

double balanced_accuracy_of(const ClassCounts& counts) {
  double total = 0, classes = 0;
  for (std::size_t i = 0; i < counts.hits.size(); ++i) {
    if (counts.there[i] == 0) continue;
    total += counts.hits[i] / counts.there[i];
    ++classes;
  }
  return ratio(total, classes);
}

// Of any number of classes: Gorodkin 2004.
double matthews_of(const ClassCounts& counts) {
  const double all = counts.sum(counts.there), square = all * all;
  const double covariance =
      counts.sum(counts.hits) * all - counts.product(counts.predicted, counts.there);
  const double of_predicted = square - counts.product(counts.predicted, counts.predicted);
  const double of_truth = square - counts.product(counts.there, counts.there);
  return ratio(covariance, std::sqrt(of_predicted * of_truth));
}

double kappa_of(const ClassCounts& counts) {
  const double all = counts.sum(counts.there);
  const double by_chance = counts.product(counts.predicted, counts.there);
  return ratio(counts.sum(counts.hits) * all - by_chance, all * all - by_chance);
}

double mean_iou_of(const ClassCounts& counts) {
  double total = 0, classes = 0;
  for (std::size_t i = 0; i < counts.hits.size(); ++i) {
    const double either = counts.predicted[i] + counts.there[i] - counts.hits[i];
    if (either == 0) continue;
    total += counts.hits[i] / either;
    ++classes;
  }
  return ratio(total, classes);
}

double dice_of(const ClassCounts& counts) {
  double total = 0, classes = 0;
  for (std::size_t i = 0; i < counts.hits.size(); ++i) {
    const double both = counts.predicted[i] + counts.there[i];
    if (both == 0) continue;
    total += 2 * counts.hits[i] / both;
    ++classes;
  }
  return ratio(total, classes);
}

}  // namespace

Metric make_agreement(const std::string& name) {
  const auto value = name == "balanced_accuracy"      ? balanced_accuracy_of
                     : name == "matthews_correlation" ? matthews_of
                     : name == "cohen_kappa"          ? kappa_of
                     : name == "mean_iou"             ? mean_iou_of
                                                      : dice_of;
  return {.name = name,
          .sums =
              [name](const Tensor& prediction, const Tensor& target, const Loss& loss) {
                return counts_of_classes(prediction, target, loss, name);
              },
          .value = [value](std::span<const double> sums) { return value(ClassCounts(sums)); },
          .is_of_classes = true};
}

}  // namespace tenon::nn

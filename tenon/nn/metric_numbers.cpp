// Metrics of numbers, and perplexity.
#include <array>
#include <cmath>
#include <limits>

#include "tenon/nn/loss_checks.h"
#include "tenon/nn/metric_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

// The plain cross entropy that fits a loss of classes.
Loss plain_cross_entropy(const Loss& loss, std::string_view metric) {
  std::string name;
  switch (loss.targets) {
    case TargetKind::classes: name = "sparse_categorical_cross_entropy"; break;
    case TargetKind::probabilities: name = "categorical_cross_entropy"; break;
    case TargetKind::two_classes: name = "binary_cross_entropy"; break;
    case TargetKind::numbers:
    case TargetKind::any:
      throw UserError(fmt::format("{}: expected a loss of classes or probabilities, got {}", metric,
                                  loss.name));
  }
  return find_loss(loss.from_logits ? name + "_from_logits" : name);
}

Tensor pair(const WeightedSum& value) {
  return stack(std::array{value.sum, cast(value.weight, value.sum.dtype())});
}

double mean_of(std::span<const double> sums) { return sums[1] > 0 ? sums[0] / sums[1] : 0; }

// [n, sums of y, of y^2 and of (y - p)^2 for each output].
Tensor r2_sums(const Tensor& prediction, const Tensor& target, const Loss&) {
  const Tensor y = same_shape_target(prediction, target, "r2");
  const std::int64_t outputs = y.rank() >= 2 ? y.extent(-1) : 1;
  require(outputs > 0, "r2: predictions have no outputs: {}", prediction.description());
  const std::int64_t rows = y.size() / outputs;
  const Tensor truth = reshape(cast(y, DType::f64), {rows, outputs});
  const Tensor found = reshape(cast(prediction, DType::f64), {rows, outputs});
  return concatenate(std::array{full({1}, static_cast<double>(rows), DType::f64), sum(truth, {0}),
                                sum(square(truth), {0}),
                                sum(squared_difference(truth, found), {0})});
}

double r2_of_sums(std::span<const double> sums) {
  const std::size_t outputs = (sums.size() - 1) / 3;
  const double n = sums[0];
  if (n == 0) return 0;
  double total = 0;
  for (std::size_t i = 0; i < outputs; ++i) {
    const double y = sums[1 + i], squares = sums[1 + outputs + i];
    const double errors = sums[1 + 2 * outputs + i];
    const double spread = squares - y * y / n;
    // What rounding leaves of a constant.
    const bool is_constant = spread <= 8 * std::numeric_limits<double>::epsilon() * squares;
    total += is_constant ? (errors == 0 ? 1 : 0) : 1 - errors / spread;
  }
  return total / static_cast<double>(outputs);
}

}  // namespace

Metric make_log_loss() {
  return {.name = "log_loss",
          .apply =
              [](const Tensor& prediction, const Tensor& target, const Loss& loss) {
                return plain_cross_entropy(loss, "log_loss").apply(prediction, target, {});
              },
          .is_of_classes = true,
          .is_lower_better = true};
}

Metric make_perplexity() {
  return {.name = "perplexity",
          .sums =
              [](const Tensor& prediction, const Tensor& target, const Loss& loss) {
                return pair(plain_cross_entropy(loss, "perplexity").apply(prediction, target, {}));
              },
          .value = [](std::span<const double> sums) { return std::exp(mean_of(sums)); },
          .is_of_classes = true,
          .is_lower_better = true};
}

Metric make_root_mean_squared_error() {
  return {.name = "root_mean_squared_error",
          .sums =
              [](const Tensor& prediction, const Tensor& target, const Loss&) {
                const Tensor truth =
                    same_shape_target(prediction, target, "root_mean_squared_error");
                return pair(weighted_sum(squared_difference(prediction, truth), {},
                                         "root_mean_squared_error"));
              },
          .value = [](std::span<const double> sums) { return std::sqrt(mean_of(sums)); },
          .is_lower_better = true};
}

Metric make_r2() { return {.name = "r2", .sums = r2_sums, .value = r2_of_sums}; }

}  // namespace tenon::nn

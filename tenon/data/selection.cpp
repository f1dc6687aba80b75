#include "tenon/data/selection.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tenon/base/threefry.h"
#include "tenon/data/epoch_order.h"

namespace tenon::data {
namespace {

// The class of each sample.
std::vector<std::int32_t> class_of_each(const Dataset& dataset, std::string_view purpose) {
  require(dataset.has_classes() && dataset.y().row_shape().empty(),
          "dataset \"{}\": {} needs one class for each sample", dataset.name(), purpose);
  const auto* labels = reinterpret_cast<const std::int32_t*>(dataset.y().data());
  return {labels, labels + dataset.size()};
}

}  // namespace

Dataset::Parts stratified_split(const Dataset& dataset, double fraction, std::uint64_t seed) {
  require(fraction >= 0 && fraction <= 1,
          "dataset \"{}\": a split at {}; a fraction from 0 to 1 is needed", dataset.name(),
          fraction);
  const std::vector<std::int32_t> labels = class_of_each(dataset, "a stratified split");
  const auto classes = static_cast<std::size_t>(dataset.class_count());
  std::vector<std::int64_t> quota(classes), samples(classes);
  for (const std::int32_t label : labels) ++samples[static_cast<std::size_t>(label)];
  std::vector<double> remainder(classes);
  std::int64_t left = std::llround(fraction * static_cast<double>(dataset.size()));
  for (std::size_t i = 0; i < classes; ++i) {
    const double share = fraction * static_cast<double>(samples[i]);
    quota[i] = static_cast<std::int64_t>(share);
    remainder[i] = share - static_cast<double>(quota[i]);
    left -= quota[i];
  }
  std::vector<std::size_t> by_remainder(classes);
  std::iota(by_remainder.begin(), by_remainder.end(), std::size_t{0});
  std::ranges::stable_sort(by_remainder, std::greater(),
                           [&](std::size_t i) { return remainder[i]; });
  for (const std::size_t i : by_remainder) {
    if (left <= 0) break;
    if (quota[i] == samples[i]) continue;
    ++quota[i];
    --left;
  }
  // No epoch of training has this number, so its order is unrelated.
  constexpr std::uint64_t kStratifiedEpoch = ~std::uint64_t{1};
  std::vector<std::int64_t> first, second;
  for (const std::int64_t index : epoch_order(dataset.size(), seed, kStratifiedEpoch, true)) {
    std::int64_t& open = quota[static_cast<std::size_t>(labels[static_cast<std::size_t>(index)])];
    (open > 0 ? first : second).push_back(index);
    --open;
  }
  return {dataset.gathered(first), dataset.gathered(second)};
}

std::vector<std::int64_t> weighted_draws(std::span<const double> weights, std::int64_t count,
                                         std::uint64_t seed, std::uint64_t epoch) {
  require(count >= 0, "weighted draws: {} of them", count);
  std::vector<double> sums;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    require(weights[i] >= 0 && std::isfinite(weights[i]),
            "weighted draws: weight number {} is {}; finite and at least 0 is needed", i,
            weights[i]);
    sums.push_back(sum += weights[i]);
  }
  require(sum > 0 && std::isfinite(sum), "weighted draws: the weights' sum is {}", sum);
  ThreefrySequence draws{.key = threefry64(seed, epoch)};
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(count));
  for (std::int64_t& index : chosen) {
    // 53 random bits: uniform in [0, 1).
    const double place = static_cast<double>(draws.next() >> 11) * 0x1p-53 * sum;
    // The first sum above the place, so a weight of 0 is never drawn; rounding of the product up to
    // the sum itself falls to the last weight above 0.
    const auto above = std::ranges::upper_bound(sums, place);
    const auto last = std::ranges::lower_bound(sums, sum);
    index = std::min(above, last) - sums.begin();
  }
  return chosen;
}

std::vector<double> balancing_weights(const Dataset& dataset) {
  const std::vector<std::int32_t> labels = class_of_each(dataset, "balancing");
  std::vector<double> samples(static_cast<std::size_t>(dataset.class_count())), weights;
  for (const std::int32_t label : labels) ++samples[static_cast<std::size_t>(label)];
  for (const std::int32_t label : labels)
    weights.push_back(1 / samples[static_cast<std::size_t>(label)]);
  return weights;
}

}  // namespace tenon::data

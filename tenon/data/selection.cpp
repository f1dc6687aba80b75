#include "tenon/data/selection.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <utility>

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

namespace {

constexpr std::int64_t kMostPartitions = 1 << 20;

}  // namespace

std::vector<std::vector<std::int64_t>> stratified_partitions(std::span<const std::int32_t> labels,
                                                             std::int64_t parts,
                                                             std::uint64_t seed) {
  require(parts >= 1 && parts <= kMostPartitions, "stratified partitions: {} of them; 1 to {}",
          parts, kMostPartitions);
  // No epoch of training has this number, so its order is unrelated.
  constexpr std::uint64_t kPartitionEpoch = ~std::uint64_t{2};
  std::vector<std::int64_t> order =
      epoch_order(static_cast<std::int64_t>(labels.size()), seed, kPartitionEpoch, true);
  std::ranges::stable_sort(
      order, {}, [&](std::int64_t index) { return labels[static_cast<std::size_t>(index)]; });
  // Dealt like cards, class after class, so that neither classes nor parts differ by more than 1.
  std::vector<std::vector<std::int64_t>> result(static_cast<std::size_t>(parts));
  for (std::size_t i = 0; i < order.size(); ++i) result[i % result.size()].push_back(order[i]);
  for (std::vector<std::int64_t>& part : result) std::ranges::sort(part);
  return result;
}

Dataset::Parts stratified_fold(const Dataset& dataset, std::int64_t number, std::int64_t of,
                               std::uint64_t seed) {
  require(of >= 2 && number >= 0 && number < of, "fold {} of {}; 0 to {} of at least 2 expected",
          number, of, of - 1);
  const std::vector<std::vector<std::int64_t>> parts =
      stratified_partitions(class_of_each(dataset, "a stratified fold"), of, seed);
  std::vector<std::int64_t> rest;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (std::cmp_not_equal(i, number)) rest.insert(rest.end(), parts[i].begin(), parts[i].end());
  std::ranges::sort(rest);
  return {dataset.gathered(rest), dataset.gathered(parts[static_cast<std::size_t>(number)])};
}

std::vector<std::vector<std::int64_t>> balanced_partitions(std::span<const double> sizes,
                                                           std::int64_t parts) {
  require(parts >= 1 && parts <= kMostPartitions, "balanced partitions: {} of them; 1 to {}", parts,
          kMostPartitions);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    require(sizes[i] >= 0 && std::isfinite(sizes[i]),
            "balanced partitions: size number {} is {}; finite and at least 0 is needed", i,
            sizes[i]);
  std::vector<std::int64_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::int64_t index) {
    return sizes[static_cast<std::size_t>(index)];
  });
  struct Part {
    double sum = 0;
    std::size_t number = 0;
    bool operator>(const Part& other) const {
      return std::pair(sum, number) > std::pair(other.sum, other.number);
    }
  };
  std::priority_queue<Part, std::vector<Part>, std::greater<>> least;
  for (std::size_t i = 0; i < static_cast<std::size_t>(parts); ++i) least.push({0, i});
  std::vector<std::vector<std::int64_t>> result(static_cast<std::size_t>(parts));
  for (const std::int64_t index : order) {
    Part part = least.top();
    least.pop();
    result[part.number].push_back(index);
    part.sum += sizes[static_cast<std::size_t>(index)];
    least.push(part);
  }
  for (std::vector<std::int64_t>& part : result) std::ranges::sort(part);
  return result;
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

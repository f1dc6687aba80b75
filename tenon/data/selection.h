// Which samples, and how often: splits that keep the classes' shares, and weighted draws.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "tenon/data/dataset.h"

namespace tenon::data {

// As Dataset::split, but each class has the same share of both parts, to the nearest sample: the
// first part has round(fraction * size) samples, and each class floor or ceiling of its own
// share, the largest remainders rounded up. UserError unless there is one class for each sample
// and 0 <= fraction <= 1.
Dataset::Parts stratified_split(const Dataset& dataset, double fraction, std::uint64_t seed);

// Indices 0 to labels.size() - 1 in `parts` parts, each with the same share of every class: the
// sizes of the parts, and their counts of each class, differ by 1 at most. Which samples go where
// depends on the seed; each part is in ascending order. UserError for parts below 1.
std::vector<std::vector<std::int64_t>> stratified_partitions(std::span<const std::int32_t> labels,
                                                             std::int64_t parts,
                                                             std::uint64_t seed);
// Fold `number` of `of` for cross-validation: `first` is the rest of the dataset, to train on, and
// `second` the fold. Together the folds are the dataset. UserError unless there is one class for
// each sample, of >= 2 and 0 <= number < of.
Dataset::Parts stratified_fold(const Dataset& dataset, std::int64_t number, std::int64_t of,
                               std::uint64_t seed);

// Indices 0 to sizes.size() - 1 in `parts` parts of nearly equal sums: the largest first, each to
// the part with the least sum so far, the first of equals (Graham, "Bounds on multiprocessing
// timing anomalies", 1969: the largest sum is below 4/3 of the best one's). Each part is in
// ascending order. UserError for parts below 1, and for a size that is negative or not finite.
std::vector<std::vector<std::int64_t>> balanced_partitions(std::span<const double> sizes,
                                                           std::int64_t parts);

// `count` indices drawn with replacement, index i with probability weights[i] / sum; another draw
// in every epoch. UserError for a negative or infinite weight, a sum that is 0 or overflows, or a
// negative count.
std::vector<std::int64_t> weighted_draws(std::span<const double> weights, std::int64_t count,
                                         std::uint64_t seed, std::uint64_t epoch);

// The weight of each sample that makes all classes equally likely: 1 / samples of its class.
std::vector<double> balancing_weights(const Dataset& dataset);

}  // namespace tenon::data

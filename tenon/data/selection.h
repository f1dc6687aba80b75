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

// `count` indices drawn with replacement, index i with probability weights[i] / sum; another draw
// in every epoch. UserError for a negative or infinite weight, a sum that is 0 or overflows, or a
// negative count.
std::vector<std::int64_t> weighted_draws(std::span<const double> weights, std::int64_t count,
                                         std::uint64_t seed, std::uint64_t epoch);

// The weight of each sample that makes all classes equally likely: 1 / samples of its class.
std::vector<double> balancing_weights(const Dataset& dataset);

}  // namespace tenon::data

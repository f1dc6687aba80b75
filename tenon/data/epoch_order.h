// The order in which an epoch visits the samples: a function of seed and epoch alone.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace tenon::data {

// A permutation of 0 .. size-1, the identity unless `shuffle`. Fisher and Yates' algorithm as in
// Durstenfeld, "Algorithm 235: Random permutation", CACM 1964, on Threefry with a key made of the
// seed and the epoch; every permutation is equally likely. UserError for a negative size.
std::vector<std::int64_t> epoch_order(std::int64_t size, std::uint64_t seed, std::uint64_t epoch,
                                      bool shuffle);

// The same into memory that is there already.
void fill_epoch_order(std::span<std::int64_t> order, std::uint64_t seed, std::uint64_t epoch,
                      bool shuffle);

}  // namespace tenon::data

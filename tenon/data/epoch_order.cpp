#include "tenon/data/epoch_order.h"

#include <numeric>
#include <utility>

#include "tenon/base/error.h"
#include "tenon/base/threefry.h"

namespace tenon::data {

void fill_epoch_order(std::span<std::int64_t> order, std::uint64_t seed, std::uint64_t epoch,
                      bool shuffle) {
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (!shuffle) return;
  ThreefrySequence draws{.key = threefry64(seed, epoch)};
  for (std::size_t last = order.size(); last > 1; --last)
    std::swap(order[last - 1], order[static_cast<std::size_t>(draws.below(last))]);
}

std::vector<std::int64_t> epoch_order(std::int64_t size, std::uint64_t seed, std::uint64_t epoch,
                                      bool shuffle) {
  require(size >= 0, "an epoch of {} samples", size);
  std::vector<std::int64_t> order(static_cast<std::size_t>(size));
  fill_epoch_order(order, seed, epoch, shuffle);
  return order;
}

}  // namespace tenon::data

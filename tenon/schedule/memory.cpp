#include "tenon/schedule/memory.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "tenon/base/interruption.h"
#include "tenon/base/tensor_type.h"

namespace tenon::schedule {

namespace {

using Order = std::vector<std::uint32_t>;

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

std::int64_t rounded(std::int64_t bytes) {
  return checked_add(bytes, kArenaAlignment - 1, "arena") / kArenaAlignment * kArenaAlignment;
}

std::int64_t largest_sum_alive(std::span<const Lifetime> buffers) {
  std::vector<std::pair<std::uint64_t, std::int64_t>> changes;  // position, bytes more or less
  for (const Lifetime& buffer : buffers) {
    changes.emplace_back(buffer.first, rounded(buffer.bytes));
    changes.emplace_back(std::uint64_t{buffer.last} + 1, -rounded(buffer.bytes));
  }
  // At one position what ends (a negative change) comes before what begins.
  std::ranges::sort(changes);
  std::int64_t live = 0, most = 0;
  for (const auto& [position, change] : changes) {
    live = checked_add(live, change, "arena");
    most = std::max(most, live);
  }
  return most;
}

// Places buffers in the given order; gives up (none) once `limit` is reached.
std::optional<Arena> place_in_order(std::span<const Lifetime> buffers, const Order& order,
                                    std::int64_t limit) {
  struct Placed {
    std::int64_t offset, end;
    std::uint32_t first, last;
  };
  Arena arena;
  arena.offsets.resize(buffers.size());
  std::vector<Placed> placed;  // ascending offset
  placed.reserve(buffers.size());
  for (const std::uint32_t index : order) {
    interruption_point();
    const Lifetime& buffer = buffers[index];
    const std::int64_t bytes = rounded(buffer.bytes);
    if (bytes == 0) continue;
    std::int64_t end = 0;  // of the highest buffer so far that is alive together with this one
    std::int64_t best = -1, best_gap = kNoLimit;
    for (const Placed& other : placed) {
      if (other.last < buffer.first || buffer.last < other.first) continue;
      const std::int64_t gap = other.offset - end;
      if (gap >= bytes && gap < best_gap) {
        best = end;
        best_gap = gap;
      }
      end = std::max(end, other.end);
    }
    const std::int64_t offset = best >= 0 ? best : end;
    arena.offsets[index] = offset;
    arena.bytes = std::max(arena.bytes, checked_add(offset, bytes, "arena"));
    if (arena.bytes >= limit) return std::nullopt;
    const auto position = std::ranges::upper_bound(placed, offset, {}, &Placed::offset);
    placed.insert(position, {offset, offset + bytes, buffer.first, buffer.last});
  }
  return arena;
}

// Whether the arena is within 2 % of what none can be below.
bool is_good(const Arena& arena, std::int64_t bound) { return arena.bytes - bound <= bound / 50; }

// Places again in each order with what lay at the top put first, round after round, until that is
// good or has taken so much work.
void improve(std::span<const Lifetime> buffers, std::vector<Order>& orders, std::int64_t bound,
             Arena& best) {
  constexpr std::size_t kMostSteps = 1 << 23;  // visits of placed buffers, some nanoseconds each
  constexpr std::size_t kMostRounds = 200;
  const std::size_t steps_of_attempt = buffers.size() * buffers.size() / 2 + 1;
  const std::size_t attempts = std::min(kMostSteps / steps_of_attempt, kMostRounds * orders.size());
  for (std::size_t i = 0; i < attempts && !is_good(best, bound); ++i) {
    Order& order = orders[i % orders.size()];
    Arena arena = *place_in_order(buffers, order, kNoLimit);
    std::stable_partition(order.begin(), order.end(), [&](std::uint32_t index) {
      return arena.offsets[index] + rounded(buffers[index].bytes) == arena.bytes;
    });
    if (arena.bytes < best.bytes) best = std::move(arena);
  }
}

}  // namespace

Arena place_buffers(std::span<const Lifetime> buffers) {
  const std::int64_t bound = largest_sum_alive(buffers);
  const auto length = [&](std::uint32_t i) {
    return std::int64_t{buffers[i].last} - buffers[i].first + 1;
  };
  const auto size = [&](std::uint32_t i) { return buffers[i].bytes; };
  const auto area = [&](std::uint32_t i) {
    return static_cast<double>(size(i)) * static_cast<double>(length(i));
  };
  Order order(buffers.size());
  std::iota(order.begin(), order.end(), 0u);

  std::optional<Arena> best;
  std::vector<Order> orders;
  const auto attempt = [&](const auto& comes_first) {
    if (best && best->bytes == bound) return;
    Order& sorted = orders.emplace_back(order);
    std::ranges::stable_sort(sorted, comes_first);
    const std::int64_t limit = best ? best->bytes : kNoLimit;
    if (auto arena = place_in_order(buffers, sorted, limit)) best = std::move(arena);
  };
  using Index = std::uint32_t;
  attempt([&](Index a, Index b) { return size(a) > size(b); });
  // The square of the number of buffers is the cost of one more attempt.
  if (buffers.size() <= 8192) {
    attempt([&](Index a, Index b) { return area(a) > area(b); });
    attempt([&](Index a, Index b) { return buffers[a].first < buffers[b].first; });
    attempt([&](Index a, Index b) { return length(a) > length(b); });
    attempt([&](Index a, Index b) { return buffers[a].last > buffers[b].last; });
  }
  improve(buffers, orders, bound, *best);
  best->live_bytes = bound;
  return std::move(*best);
}

}  // namespace tenon::schedule

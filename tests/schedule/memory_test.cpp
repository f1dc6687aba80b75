#include "tenon/schedule/memory.h"

#include "tenon/base/threefry.h"

namespace tenon::schedule {
namespace {

std::int64_t rounded_up(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

void expect_valid(std::span<const Lifetime> buffers, const Arena& arena) {
  ASSERT_EQ(arena.offsets.size(), buffers.size());
  EXPECT_GE(arena.bytes, arena.live_bytes);
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_EQ(arena.offsets[i] % kArenaAlignment, 0);
    EXPECT_LE(arena.offsets[i] + buffers[i].bytes, arena.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      const bool together =
          buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
      const bool apart = arena.offsets[i] + buffers[i].bytes <= arena.offsets[j] ||
                         arena.offsets[j] + buffers[j].bytes <= arena.offsets[i];
      EXPECT_TRUE(!together || apart) << "buffers " << i << " and " << j << " overlap";
    }
  }
}

TEST(PlaceBuffers, NothingNeedsNothing) {
  const Arena arena = place_buffers({});
  EXPECT_EQ(arena.bytes, 0);
  EXPECT_EQ(arena.live_bytes, 0);
}

TEST(PlaceBuffers, ReusesWhatHasDied) {
  const std::vector<Lifetime> buffers = {{100, 0, 1}, {100, 1, 2}, {100, 2, 3}, {0, 0, 3}};
  const Arena arena = place_buffers(buffers);
  expect_valid(buffers, arena);
  EXPECT_EQ(arena.live_bytes, 256);
  EXPECT_EQ(arena.bytes, 256);
}

TEST(PlaceBuffers, StackOfActivations) {
  // Forward: activation i lives until its backward step; gradients are short.
  std::vector<Lifetime> buffers;
  constexpr std::uint32_t kLayers = 40;
  for (std::uint32_t i = 0; i < kLayers; ++i) {
    buffers.push_back({1000 + 64 * (i % 7), i, 2 * kLayers - i});
    buffers.push_back({1000 + 64 * (i % 7), 2 * kLayers - i, 2 * kLayers - i + 1});
  }
  const Arena arena = place_buffers(buffers);
  expect_valid(buffers, arena);
  EXPECT_LE(static_cast<double>(arena.bytes), 1.05 * static_cast<double>(arena.live_bytes));
}

TEST(PlaceBuffers, RandomLifetimesNeverOverlapAndStayNearTheBound) {
  double total = 0, bound = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    ThreefrySequence random{seed};
    std::vector<Lifetime> buffers;
    const std::uint64_t count = 1 + random.below(120);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto first = static_cast<std::uint32_t>(random.below(count));
      const auto length = static_cast<std::uint32_t>(random.below(1 + random.below(20)));
      const auto bytes =
          static_cast<std::int64_t>(random.below(std::uint64_t{1} << random.below(16)));
      buffers.push_back({bytes, first, first + length});
    }
    const Arena arena = place_buffers(buffers);
    expect_valid(buffers, arena);
    std::int64_t most = 0;
    for (std::uint32_t position = 0; position < 2 * count + 20; ++position) {
      std::int64_t live = 0;
      for (const Lifetime& b : buffers)
        if (b.first <= position && position <= b.last) live += rounded_up(b.bytes);
      most = std::max(most, live);
    }
    EXPECT_EQ(arena.live_bytes, most);
    total += static_cast<double>(arena.bytes);
    bound += static_cast<double>(arena.live_bytes);
  }
  EXPECT_LE(total, 1.05 * bound);
}

}  // namespace
}  // namespace tenon::schedule

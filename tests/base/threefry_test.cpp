#include "tenon/base/threefry.h"

#include <gtest/gtest.h>
#include <vector>

namespace tenon {
namespace {

using Words = std::array<std::uint32_t, 2>;

// Known answers of the Random123 distribution (kat_vectors, threefry2x32 with 20 rounds).
static_assert(threefry2x32(0, 0, 0, 0) == Words{0x6b200159u, 0x99ba4efeu});
static_assert(threefry2x32(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu) ==
              Words{0x1cb996fcu, 0xbb002be7u});
static_assert(threefry2x32(0x13198a2eu, 0x03707344u, 0x243f6a88u, 0x85a308d3u) ==
              Words{0xc4923a9cu, 0x483df7a0u});

TEST(Threefry, SixtyFourBitFormIsTheSameWordsLowFirst) {
  EXPECT_EQ(threefry64(0x0370734413198a2eull, 0x85a308d3243f6a88ull), 0x483df7a0c4923a9cull);
}

TEST(Threefry, BoundedDrawsCoverTheRangeEvenly) {
  ThreefrySequence sequence{.key = 7};
  std::vector<int> counts(5);
  for (int i = 0; i < 50000; ++i) ++counts.at(sequence.below(5));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);  // over four deviations
  EXPECT_EQ(sequence.below(1), 0u);
}

TEST(Threefry, BoundedDrawRejectsWhatWouldFavourSmallResults) {
  // For bound 2^63 + 1 the draws below 2^63 - 1 are rejected: about half of them.
  ThreefrySequence sequence{.key = 1};
  const std::uint64_t bound = (1ull << 63) + 1;
  for (int i = 0; i < 100; ++i) EXPECT_LT(sequence.below(bound), bound);
  EXPECT_GT(sequence.counter, 140u);
}

}  // namespace
}  // namespace tenon

// The map of a step's workspace.
#include "tenon/backends/memory_map.h"

#include <gtest/gtest.h>

namespace tenon::backends {
namespace {

const MemoryMap kMap{
    {{"a", 64, 0, 0, 1}, {"b", 128, 64, 1, 3}, {"c", 256, 192, 2, 2}, {"d", 64, 0, 3, 3}},
    {"k0", "k1", "copy", "k2"},
    448};

TEST(MemoryMap, AddsUpWhatIsAlive) {
  EXPECT_EQ(kMap.live_bytes(), (std::vector<std::int64_t>{64, 192, 384, 192}));
  EXPECT_EQ(kMap.peak(), 2u);
}

TEST(MemoryMap, ListsTheLargestFirst) {
  std::vector<std::string> names;
  for (const MemoryUse& use : kMap.alive_at(2)) names.push_back(use.value);
  EXPECT_EQ(names, (std::vector<std::string>{"c", "b"}));
}

TEST(MemoryMap, OfNothingHasNoPeak) {
  EXPECT_EQ(MemoryMap().peak(), 0u);
  EXPECT_TRUE(MemoryMap().alive_at(0).empty());
}

}  // namespace
}  // namespace tenon::backends

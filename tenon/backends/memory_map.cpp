#include "tenon/backends/memory_map.h"

#include <algorithm>

namespace tenon::backends {

std::vector<std::int64_t> MemoryMap::live_bytes() const {
  std::vector<std::int64_t> live(launches.size());
  for (const MemoryUse& use : uses)
    for (std::uint32_t launch = use.first; launch <= use.last; ++launch) live[launch] += use.bytes;
  return live;
}

std::uint32_t MemoryMap::peak() const {
  const std::vector<std::int64_t> live = live_bytes();
  return live.empty() ? 0
                      : static_cast<std::uint32_t>(std::ranges::max_element(live) - live.begin());
}

std::vector<MemoryUse> MemoryMap::alive_at(std::uint32_t launch) const {
  std::vector<MemoryUse> alive;
  std::ranges::copy_if(uses, std::back_inserter(alive), [launch](const MemoryUse& use) {
    return use.first <= launch && launch <= use.last;
  });
  std::ranges::stable_sort(alive, std::greater{}, &MemoryUse::bytes);
  return alive;
}

}  // namespace tenon::backends

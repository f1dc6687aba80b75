// What lies in the workspace of a compiled step, and when: known before the step runs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::backends {

// A value (or several, one after the other, in one place) of the workspace.
struct MemoryUse {
  std::string value;  // its name, or the operation that made it
  std::int64_t bytes = 0;
  std::int64_t offset = 0;  // in the workspace
  std::uint32_t first = 0;  // launches between which it is alive, both included
  std::uint32_t last = 0;
  bool is_scratch = false;  // of one launch or a few, seen by no other
};

struct MemoryMap {
  std::vector<MemoryUse> uses;        // by first launch, then by offset
  std::vector<std::string> launches;  // what runs, in order; what a loop runs is there once
  std::int64_t arena_bytes = 0;

  // Bytes of the uses that are alive, for each launch.
  std::vector<std::int64_t> live_bytes() const;
  // The launch during which most is alive (the first such); 0 if there is none.
  std::uint32_t peak() const;
  // What is alive during a launch, the largest first.
  std::vector<MemoryUse> alive_at(std::uint32_t launch) const;
};

}  // namespace tenon::backends

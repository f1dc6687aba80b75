// Static memory: places buffers whose lifetimes are known into one arena.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace tenon::schedule {

inline constexpr std::int64_t kArenaAlignment = 64;

// A buffer that is alive at the positions first ... last of a program, both included.
struct Lifetime {
  std::int64_t bytes = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

struct Arena {
  std::vector<std::int64_t> offsets;  // one per lifetime, multiples of kArenaAlignment
  std::int64_t bytes = 0;             // size of the arena
  std::int64_t live_bytes = 0;        // largest sum of rounded sizes alive at once: a lower bound
};

// Buffers alive at a common position never overlap. Tries several orders of placing, each buffer
// in the smallest gap that holds it, and keeps the smallest arena; an order that reaches the lower
// bound ends the search. While all are more than 2 % above it, the buffers at the top of an arena
// are put first and all are placed again, in work that is bounded. (Pisarchyk, Lee: Efficient
// memory management for deep neural net inference, 2020, "greedy by size"; the other orders win
// where sizes are alike.)
Arena place_buffers(std::span<const Lifetime> buffers);

}  // namespace tenon::schedule

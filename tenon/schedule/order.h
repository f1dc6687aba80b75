// Chooses an execution order that keeps the peak of memory low.
#pragma once
#include <cstdint>
#include <vector>

namespace tenon::schedule {

// What is to be ordered: units of work that read and write values.
struct OrderUnit {
  std::vector<std::uint32_t> reads;   // values, without repetition
  std::vector<std::uint32_t> writes;  // values; each is written by one unit
  std::vector<std::uint32_t> after;   // units that must come earlier for another reason
  std::int64_t scratch = 0;           // bytes used only while the unit runs
};
struct OrderProblem {
  std::vector<OrderUnit> units;     // in some valid order
  std::vector<std::int64_t> bytes;  // per value; 0 for what is not in the arena
};

// An order of the units: the best of the given one and of two list schedules, one that prefers
// what frees most and one that runs at once what does not add memory. InternalError if the
// dependences have a cycle. Without `for_memory` it is the given one, as far as the dependences
// allow.
std::vector<std::uint32_t> choose_order(const OrderProblem& problem, bool for_memory = true);

// Largest sum of bytes alive at once when run in this order.
std::int64_t peak_bytes(const OrderProblem& problem, const std::vector<std::uint32_t>& order);

}  // namespace tenon::schedule

// Times steps in blocks that are long enough for the clock.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace tenon::cli {

// Runs `count` steps from step `first` on; the loss of the last.
using RunSteps = std::function<double(std::int64_t first, std::int64_t count)>;

struct BlockTimes {
  std::int64_t steps = 0;
  std::vector<double> seconds_per_step;  // of each block; at least one

  double minimum() const;
  double median() const;
};

// Blocks of at least 20 ms and one step each, until they have taken `seconds` together. `first`: of
// the first step; `guess`: seconds that a step may take.
BlockTimes time_blocks(const RunSteps& run, std::int64_t first, double seconds, double guess);

}  // namespace tenon::cli

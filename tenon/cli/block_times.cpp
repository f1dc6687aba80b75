#include "tenon/cli/block_times.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tenon/cli/median.h"

namespace tenon::cli {

double BlockTimes::minimum() const { return *std::ranges::min_element(seconds_per_step); }

double BlockTimes::median() const { return median_of(seconds_per_step); }

BlockTimes time_blocks(const RunSteps& run, std::int64_t first, double seconds, double guess) {
  using Clock = std::chrono::steady_clock;
  constexpr double kBlockSeconds = 0.02;
  constexpr double kMostSteps = 1e6;  // between two looks at the clock
  BlockTimes times;
  double total = 0;
  do {
    const Clock::time_point began = Clock::now();
    double elapsed = 0;
    std::int64_t steps = 0;
    while (elapsed < kBlockSeconds) {
      // As many as are missing, so that the clock is read once or twice for each block.
      const double missing = std::ceil((kBlockSeconds - elapsed) / std::max(guess, 1e-9));
      const auto count = static_cast<std::int64_t>(std::clamp(missing, 1.0, kMostSteps));
      run(first + times.steps + steps, count);
      steps += count;
      elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    }
    guess = elapsed / static_cast<double>(steps);
    times.seconds_per_step.push_back(guess);
    times.steps += steps;
    total += elapsed;
  } while (total < seconds);
  return times;
}

}  // namespace tenon::cli

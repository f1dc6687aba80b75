// The time and memory that this process takes, as the system counts them.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace tenon::cli {

// When the program began: the moment of the first call, which main() makes before all else, less
// the processor time that the process had used by then. So loading the program counts, to the
// nanoseconds of the clocks (the start that /proc tells is in steps of 10 ms), but not what it then
// waited for a disk.
std::chrono::steady_clock::time_point program_start();

// The most memory that the process has had at once since its start or the last PeakGrowth,
// getrusage(2).
std::int64_t process_peak_bytes();
// The same of the largest process that it started and that has ended, or of one that that started;
// 0 if there is none. Linux counts for a process what its parent held when it was started, so this
// is at least that.
std::int64_t children_peak_bytes();

// How much the most resident memory that the process has had at once grows from here on. Memory
// that was freed before is given back to the system first, so that using it again counts; the
// program's own code is read first, so that using it does not.
class PeakGrowth {
 public:
  PeakGrowth();
  std::optional<std::int64_t> bytes() const;  // none where the system does not tell
  // Of all before.
  std::int64_t earlier_peak_bytes() const { return earlier_; }

 private:
  std::int64_t earlier_;
  std::optional<std::int64_t> begin_;
};

}  // namespace tenon::cli

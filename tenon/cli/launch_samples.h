// The times that the launches of a compiled step take, over many runs of it.
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tenon/session/session.h"

namespace tenon::cli {

class LaunchSamples {
 public:
  // Of the `steps` runs that add() is told of, evenly spaced ones are kept, at most some thousand.
  explicit LaunchSamples(std::int64_t steps);

  // What one run of a step with so many launches was seen to do.
  void add(std::size_t launches, std::span<const backends::LaunchEvent> events);

  double mean_step_seconds() const { return total_seconds_ / static_cast<double>(runs_); }
  double median_step_seconds() const;
  // In one run, all calls of the launch together.
  double median_seconds(std::size_t launch) const;
  double calls(std::size_t launch) const;  // mean

 private:
  std::int64_t spacing_, runs_ = 0;
  double total_seconds_ = 0;
  std::vector<double> steps_;                 // seconds of the runs that are kept
  std::vector<std::vector<double>> seconds_;  // by launch, of the same
  std::vector<std::int64_t> calls_;           // by launch, of all runs
};

// How long threads of this process wait for a core while they could run: others have the cores.
class CoreWait {
 public:
  // `threads`: a folder for each thread, with a file schedstat as of Linux.
  explicit CoreWait(std::string threads = "/proc/self/task") : threads_(std::move(threads)) {}

  void start();
  // Since start(), of the thread that waited longest; none if the system does not tell.
  std::optional<double> seconds() const;
  // The same as a part of the time since start(), at most 1.
  std::optional<double> part_of_time() const;

 private:
  std::map<std::string, double> read() const;  // seconds that each thread has waited

  std::string threads_;
  std::map<std::string, double> before_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace tenon::cli

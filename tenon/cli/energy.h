// Joules that the processor takes, where the system lets its counters be read.
#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tenon::cli {

// The counters of RAPL ("running average power limit") as Linux shows them: of each processor as a
// whole, and of its memory. They count all that runs on the machine, and what it takes when idle.
class EnergyMeter {
 public:
  // Where there are no counters, or they may not be read, it measures nothing.
  explicit EnergyMeter(const std::filesystem::path& folder = "/sys/class/powercap");

  bool is_readable() const { return !counters_.empty() && reason_.empty(); }
  // Why not: "/sys/class/powercap has no counters", "FILE cannot be read".
  const std::string& reason() const { return reason_; }

  // Joules are counted from here on.
  void start();
  // To be called more often than a counter can come around, which takes a minute at the very least;
  // looks at the counters once a second at most.
  void sample();
  // Since start(); nothing if the counters cannot be read.
  std::optional<double> joules();

 private:
  struct Counter {
    std::filesystem::path file;
    double range = 0;  // in microjoules; the counter goes on at 0 behind it
    double last = 0;
  };
  void add_counter(const std::filesystem::path& folder);
  void update();

  std::vector<Counter> counters_;
  std::string reason_;
  double microjoules_ = 0;
  std::chrono::steady_clock::time_point sampled_;
};

}  // namespace tenon::cli

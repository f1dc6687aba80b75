#include "tenon/cli/launch_samples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tenon/cli/median.h"

namespace tenon::cli {
namespace {

constexpr std::int64_t kMostKept = 2000;  // runs

}  // namespace

LaunchSamples::LaunchSamples(std::int64_t steps) : spacing_((steps - 1) / kMostKept + 1) {}

void LaunchSamples::add(std::size_t launches, std::span<const backends::LaunchEvent> events) {
  const bool is_kept = runs_++ % spacing_ == 0;
  seconds_.resize(launches);
  calls_.resize(launches);
  if (is_kept)
    for (std::vector<double>& seconds : seconds_) seconds.push_back(0);
  for (const backends::LaunchEvent& event : events) {
    ++calls_[event.launch];
    if (is_kept) seconds_[event.launch].back() += event.end - event.begin;
  }
  const double seconds = events.empty() ? 0 : events.back().end;
  total_seconds_ += seconds;
  if (is_kept) steps_.push_back(seconds);
}

double LaunchSamples::median_step_seconds() const { return median_of(steps_); }
double LaunchSamples::median_seconds(std::size_t launch) const {
  return median_of(seconds_[launch]);
}
double LaunchSamples::calls(std::size_t launch) const {
  return static_cast<double>(calls_[launch]) / static_cast<double>(runs_);
}

void CoreWait::start() {
  before_ = read();
  began_ = std::chrono::steady_clock::now();
}

std::optional<double> CoreWait::part_of_time() const {
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - began_;
  const std::optional<double> waited = seconds();
  if (!waited) return std::nullopt;
  return std::clamp(*waited / std::max(time.count(), 1e-9), 0.0, 1.0);
}

std::optional<double> CoreWait::seconds() const {
  std::optional<double> longest;
  for (const auto& [thread, seconds] : read()) {
    const auto before = before_.find(thread);
    longest =
        std::max(longest.value_or(0), seconds - (before == before_.end() ? 0 : before->second));
  }
  return longest;
}

std::map<std::string, double> CoreWait::read() const {
  std::map<std::string, double> waited;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(threads_, error), end; !error && entry != end;
       entry.increment(error)) {
    std::ifstream stream(entry->path() / "schedstat");
    double running = 0, waiting = 0;  // nanoseconds
    if (stream >> running >> waiting) waited[entry->path().filename().string()] = waiting * 1e-9;
  }
  return waited;
}

}  // namespace tenon::cli

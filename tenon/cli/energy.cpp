#include "tenon/cli/energy.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

namespace tenon::cli {
namespace {

constexpr std::chrono::seconds kBetweenSamples{1};

std::optional<double> read_number(const std::filesystem::path& file) {
  std::ifstream stream(file);
  double number = 0;
  if (!(stream >> number) || number < 0) return std::nullopt;
  return number;
}

std::string read_word(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string word;
  stream >> word;
  return word;
}

}  // namespace

EnergyMeter::EnergyMeter(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> zones;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().filename().string().starts_with("intel-rapl:"))
      zones.push_back(entry->path());
  std::ranges::sort(zones);
  // Zones within a processor are part of it, but for its memory; "psys" holds the processors.
  for (const std::filesystem::path& zone : zones) {
    const std::string name = read_word(zone / "name");
    if (name.starts_with("package") || name == "dram") add_counter(zone);
  }
  if (counters_.empty() && reason_.empty())
    reason_ = fmt::format("{} has no counters", folder.string());
}

void EnergyMeter::add_counter(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "energy_uj";
  const std::optional<double> now = read_number(file),
                              range = read_number(folder / "max_energy_range_uj");
  if (!now || !range) {
    reason_ =
        fmt::format("{} cannot be read", (now ? folder / "max_energy_range_uj" : file).string());
    return;
  }
  counters_.push_back({file, *range, *now});
}

void EnergyMeter::update() {
  sampled_ = std::chrono::steady_clock::now();
  for (Counter& counter : counters_) {
    const std::optional<double> now = read_number(counter.file);
    if (!now) {
      reason_ = fmt::format("{} cannot be read", counter.file.string());
      return;
    }
    microjoules_ += *now - counter.last + (*now < counter.last ? counter.range : 0);
    counter.last = *now;
  }
}

void EnergyMeter::start() {
  if (is_readable()) update();
  microjoules_ = 0;
}

void EnergyMeter::sample() {
  if (is_readable() && std::chrono::steady_clock::now() - sampled_ >= kBetweenSamples) update();
}

std::optional<double> EnergyMeter::joules() {
  if (is_readable()) update();
  if (!is_readable()) return std::nullopt;
  return microjoules_ * 1e-6;
}

}  // namespace tenon::cli

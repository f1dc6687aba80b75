#include "tenon/base/cpu_info.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <thread>

#include "tenon/base/text.h"

namespace tenon {

namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

std::string read_system_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<double> parse_number(std::string_view text) {
  const std::string copy(trim(text));
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0') return std::nullopt;
  return value;
}

double quota(std::optional<double> microseconds, std::optional<double> period) {
  if (!microseconds || !period || *microseconds <= 0 || *period <= 0) return kNoQuota;
  return *microseconds / *period;
}

// Version 2: one file, "max 100000" or "150000 100000".
double unified_quota(const std::filesystem::path& folder) {
  const std::string text = read_system_file(folder / "cpu.max");
  const auto words = split(trim(text), ' ');
  if (words.size() != 2) return kNoQuota;
  return quota(parse_number(words[0]), parse_number(words[1]));
}

// Version 1: two files; -1 is no quota.
double legacy_quota(const std::filesystem::path& folder) {
  return quota(parse_number(read_system_file(folder / "cpu.cfs_quota_us")),
               parse_number(read_system_file(folder / "cpu.cfs_period_us")));
}

// The smallest over the group and its ancestors. In a container the group's own path may not be
// visible below the mount point; what is there then stands at the root.
double smallest_quota(const std::filesystem::path& mount, std::string_view group,
                      double (*read)(const std::filesystem::path&)) {
  double least = read(mount);
  std::filesystem::path folder = mount;
  for (const std::string_view name : split(group, '/')) {
    if (name.empty() || name == "..") continue;
    folder /= name;
    least = std::min(least, read(folder));
  }
  return least;
}

std::int64_t parse_size(std::string_view text) {
  text = trim(text);
  std::int64_t unit = 1;
  if (text.ends_with('K')) unit = 1024;
  if (text.ends_with('M')) unit = 1024 * 1024;
  if (unit != 1) text.remove_suffix(1);
  return static_cast<std::int64_t>(parse_number(text).value_or(0)) * unit;
}

void read_caches(CpuInfo& cpu) {
  for (int index = 0; index < 8; ++index) {
    const std::filesystem::path folder =
        fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}", index);
    const std::string level = read_system_file(folder / "level");
    const std::int64_t bytes = parse_size(read_system_file(folder / "size"));
    const bool is_code = trim(read_system_file(folder / "type")) == "Instruction";
    if (trim(level) == "1" && !is_code) cpu.l1_bytes = bytes;
    if (trim(level) == "2") cpu.l2_bytes = bytes;
    if (trim(level) == "3") cpu.l3_bytes = bytes;
  }
}

int cores_of_affinity() {
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(capacity));
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(capacity));
    const bool is_known = sched_getaffinity(0, bytes, set) == 0;
    const int cores = is_known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (is_known) return cores;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double cpu_quota(const std::filesystem::path& root, std::string_view membership) {
  double least = kNoQuota;
  for (const std::string_view line : split(membership, '\n')) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = trim(line.substr(second + 1));
    if (controllers.empty()) {
      least = std::min(least, smallest_quota(root, group, unified_quota));
      continue;
    }
    const auto names = split(controllers, ',');
    if (std::ranges::find(names, "cpu") == names.end()) continue;
    for (const std::string& folder : {std::string(controllers), std::string("cpu")})
      least = std::min(least, smallest_quota(root / folder, group, legacy_quota));
  }
  return least;
}

int usable_cores() {
  const double limit = cpu_quota("/sys/fs/cgroup", read_system_file("/proc/self/cgroup"));
  const double cores = std::min<double>(cores_of_affinity(), std::ceil(limit));
  return std::max(1, static_cast<int>(cores));
}

CpuInfo parse_cpu_info(std::string_view text) {
  CpuInfo cpu;
  for (const std::string_view line : split(text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = trim(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    if (key == "model name" && cpu.model.empty()) cpu.model = value;
    if ((key == "flags" || key == "Features") && cpu.flags.empty()) cpu.flags = value;
  }
  const auto flags = split(cpu.flags, ' ');
  const auto has = [&](std::string_view flag) {
    return std::ranges::find(flags, flag) != flags.end();
  };
  if (has("avx2")) cpu.vector_bytes = 32;
  if (has("avx512f")) {
    cpu.vector_bytes = 64;
    cpu.vector_registers = 32;
  }
  if (has("asimd")) cpu.vector_registers = 32;
  return cpu;
}

const CpuInfo& cpu_info() {
  static const CpuInfo cpu = [] {
    CpuInfo read = parse_cpu_info(read_system_file("/proc/cpuinfo"));
    read_caches(read);
    return read;
  }();
  return cpu;
}

}  // namespace tenon

// What this process may use of the processor: cores, vector width, caches.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tenon {

struct CpuInfo {
  std::string model;               // "AMD EPYC 7763 64-Core Processor"; empty if unknown
  std::string flags;               // instruction sets as the kernel lists them, separated by spaces
  std::int64_t vector_bytes = 16;  // 64 with AVX-512, 32 with AVX2, 16 otherwise
  std::int64_t vector_registers = 16;
  std::int64_t l1_bytes = 0;  // data cache of one core; 0 if unknown
  std::int64_t l2_bytes = 0;
  std::int64_t l3_bytes = 0;
};

// Of the machine; read once.
const CpuInfo& cpu_info();

// Cores this process may keep busy: its affinity, bounded by the CPU quota of its control groups
// (versions 1 and 2; a fraction counts as a whole core). At least 1.
int usable_cores();

// From the text of /proc/cpuinfo: model, flags and vector registers; no caches.
CpuInfo parse_cpu_info(std::string_view text);

// The smallest CPU quota, in cores, of a control group and those above it. `root` is where control
// groups are mounted, `membership` the text of /proc/self/cgroup. Infinity without a quota.
double cpu_quota(const std::filesystem::path& root, std::string_view membership);

}  // namespace tenon

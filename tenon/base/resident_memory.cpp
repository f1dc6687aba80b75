#include "tenon/base/resident_memory.h"

#include <fstream>
#include <string>

namespace tenon {

std::optional<ResidentMemory> resident_memory() {
  constexpr std::int64_t kBytesOfKilobyte = 1024;
  std::ifstream status("/proc/self/status");  // "VmHWM:  1234 kB", then "VmRSS:   120 kB"
  ResidentMemory memory;
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) memory.peak = kilobytes * kBytesOfKilobyte;
    if (word == "VmRSS:" && status >> kilobytes) {
      memory.now = kilobytes * kBytesOfKilobyte;
      return memory;
    }
  }
  return std::nullopt;
}

void reset_resident_peak() { std::ofstream("/proc/self/clear_refs") << "5" << std::flush; }

std::int64_t TemporaryMemory::bytes() const {
  const std::optional<ResidentMemory> now = resident_memory();
  if (!begin_ || !now || now->peak <= begin_->peak) return 0;
  return now->peak - begin_->now;
}

}  // namespace tenon

#include "tenon/cli/process_usage.h"

#include <link.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "tenon/base/free_memory.h"
#include "tenon/base/resident_memory.h"

namespace tenon::cli {
namespace {

// The peak of the resident set.
std::optional<std::int64_t> resident_peak_bytes() {
  const std::optional<ResidentMemory> memory = resident_memory();
  return memory ? std::optional(memory->peak) : std::nullopt;
}

constexpr std::int64_t kBytesOfKilobyte = 1024;

std::int64_t peak_of(decltype(RUSAGE_SELF) who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * kBytesOfKilobyte;
}

// Also what no object is in: a sanitizer would call that a fault.
__attribute__((no_sanitize_address)) void read_pages(const volatile char* begin,
                                                     std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (std::size_t i = 0; i < bytes; i += page) static_cast<void>(begin[i]);
}

// Reads every page of the code and constants of the program and its libraries: that they are
// there has nothing to do with what is measured, and pages come when they are first met.
void make_program_resident() {
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void*) {
        for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
          if (part.p_type != PT_LOAD || (part.p_flags & (PF_R | PF_W)) != PF_R) continue;
          read_pages(reinterpret_cast<const volatile char*>(object->dlpi_addr + part.p_vaddr),
                     part.p_filesz);
        }
        return 0;
      },
      nullptr);
}

}  // namespace

std::chrono::steady_clock::time_point program_start() {
  static const auto start = [] {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::steady_clock::now() - std::chrono::seconds(used.tv_sec) -
           std::chrono::nanoseconds(used.tv_nsec);
  }();
  return start;
}

std::int64_t process_peak_bytes() { return peak_of(RUSAGE_SELF); }
std::int64_t children_peak_bytes() { return peak_of(RUSAGE_CHILDREN); }

PeakGrowth::PeakGrowth() : earlier_(process_peak_bytes()) {
  make_program_resident();
  return_freed_memory();
  reset_resident_peak();
  begin_ = resident_peak_bytes();
}

std::optional<std::int64_t> PeakGrowth::bytes() const {
  const std::optional<std::int64_t> now = resident_peak_bytes();
  if (!begin_ || !now) return std::nullopt;
  return std::max<std::int64_t>(0, *now - *begin_);
}

}  // namespace tenon::cli

// What this machine's processor and memory can do at most, measured.
#pragma once
#include <filesystem>

namespace tenon::backends {

struct Peaks {
  double flops_per_second = 0;  // f32 fused multiply-adds in registers, two operations each
  double bytes_per_second = 0;  // read and written by copies far larger than the caches
};

// By so many threads (0: as many as a step has without being told), the best of some short rounds.
// BackendError if there is no C compiler.
Peaks measure_peaks(int threads, const std::filesystem::path& cache_folder);

}  // namespace tenon::backends

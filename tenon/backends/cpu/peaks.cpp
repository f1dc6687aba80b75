#include "tenon/backends/cpu/peaks.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "tenon/backends/cpu/code_cache.h"
#include "tenon/base/environment.h"
#include "tenon/base/thread_pool.h"
#include "tenon/codegen/runtime_abi.h"

namespace tenon::backends {

namespace {

// Chains enough to fill every unit for the latency of an addition, in registers.
constexpr const char* kMultiplyAdds = R"c(#include <stdint.h>
#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512 V;
#define CHAINS 24
#define SET(x) _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#elif defined(__FMA__)
#include <immintrin.h>
typedef __m256 V;
#define CHAINS 12
#define SET(x) _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#else
typedef float V __attribute__((vector_size(16)));
#define CHAINS 12
#define SET(x) ((V){x, x, x, x})
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
__attribute__((visibility("default"))) const int64_t tenon_peak_flops =
    2 * CHAINS * (int64_t)(sizeof(V) / sizeof(float));
/* arguments: the number of turns; where the sums go, one vector for each instance. */
__attribute__((visibility("default"))) void tenon_peak(void* const* arguments, int64_t first,
                                                       int64_t last) {
  const int64_t turns = *(const int64_t*)arguments[0];
  for (int64_t instance = first; instance < last; ++instance) {
    V sums[CHAINS];
    const V scale = SET(0.999f), step = SET(0.001f);
    for (int i = 0; i < CHAINS; ++i) sums[i] = SET((float)i);
    for (int64_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 24
      for (int i = 0; i < CHAINS; ++i) sums[i] = FMA(sums[i], scale, step);
    }
    V total = sums[0];
    for (int i = 1; i < CHAINS; ++i) total += sums[i];
    __builtin_memcpy((unsigned char*)arguments[1] + instance * sizeof(V), &total, sizeof(V));
  }
}
)c";

constexpr int kRounds = 8;
constexpr std::int64_t kTurns = 100'000;
constexpr std::size_t kCopied = std::size_t{64} << 20;  // bytes, more than the caches hold
constexpr std::int64_t kPieces = 64;

using Clock = std::chrono::steady_clock;

template <class Work>
double shortest(const Work& work) {
  double best = 1e300;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

struct CopyJob {
  const std::byte* from;
  std::byte* to;
};

void copy_pieces(void* context, std::int64_t first, std::int64_t last) {
  const CopyJob& job = *static_cast<const CopyJob*>(context);
  const std::size_t piece = kCopied / kPieces;
  const std::size_t begin = static_cast<std::size_t>(first) * piece;
  std::memcpy(job.to + begin, job.from + begin, static_cast<std::size_t>(last - first) * piece);
}

struct KernelJob {
  codegen::KernelFunction kernel;
  void* const* arguments;
};

}  // namespace

Peaks measure_peaks(int threads, const std::filesystem::path& cache_folder) {
  const BuiltCode code = build_code({kMultiplyAdds}, cache_folder, {});
  const auto kernel = reinterpret_cast<codegen::KernelFunction>(code.library->symbol("tenon_peak"));
  const auto flops = *static_cast<const std::int64_t*>(code.library->symbol("tenon_peak_flops"));
  ThreadPool pool(environment::thread_count(threads));
  const std::int64_t instances = pool.threads();
  Peaks peaks;
  {
    constexpr std::size_t kLargestVector = 64;
    std::vector<std::byte> sums(static_cast<std::size_t>(instances) * kLargestVector);
    std::int64_t turns = kTurns;
    void* const arguments[] = {&turns, sums.data()};
    KernelJob job{kernel, arguments};
    const double seconds = shortest([&] {
      pool.parallel(
          instances,
          [](void* context, std::int64_t first, std::int64_t last) {
            const KernelJob& work = *static_cast<KernelJob*>(context);
            work.kernel(work.arguments, first, last);
          },
          &job);
    });
    peaks.flops_per_second = static_cast<double>(instances * kTurns * flops) / seconds;
  }
  std::vector<std::byte> from(kCopied, std::byte{1}), to(kCopied, std::byte{2});
  CopyJob job{from.data(), to.data()};
  const double seconds = shortest([&] { pool.parallel(kPieces, copy_pieces, &job); });
  peaks.bytes_per_second = 2 * static_cast<double>(kCopied) / seconds;
  return peaks;
}

}  // namespace tenon::backends

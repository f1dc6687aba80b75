// While one lives, results of floating-point arithmetic on this thread that are below the smallest
// normal number are zero.
#pragma once
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif
#include <cstdint>

namespace tenon {

// Moments and gradients that fade away become subnormal, and many processors take far longer for
// those. Operands are not flushed (on aarch64 they are): comparing and moving keep them.
class FlushToZero {
 public:
#if defined(__SSE2__)
  FlushToZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushResults); }
  ~FlushToZero() { _mm_setcsr(before_); }
#elif defined(__aarch64__)
  FlushToZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | kFlushResults));
  }
  ~FlushToZero() { asm volatile("msr fpcr, %0" : : "r"(before_)); }
#else
  FlushToZero() = default;
#endif
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr std::uint32_t kFlushResults = 0x8000;  // MXCSR.FTZ
  std::uint32_t before_;
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlushResults = std::uint64_t{1} << 24;  // FPCR.FZ
  std::uint64_t before_ = 0;
#endif
};

}  // namespace tenon

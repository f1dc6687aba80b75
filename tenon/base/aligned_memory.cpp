#include "tenon/base/aligned_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tenon {

namespace {

constexpr std::size_t kLargePage = std::size_t{1} << 21;

bool is_large(std::size_t bytes) { return bytes >= 2 * kLargePage; }

#if defined(__linux__)
std::size_t rounded_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Advice: where it is not taken, everything works as before.
void ask_for_large_pages(void* memory, std::size_t bytes) {
  madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
}

// Pages that the system has filled with zeros, or will when they are met.
AlignedMemory map_zeroed(std::size_t bytes, std::size_t alignment) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const std::size_t size = rounded_up(bytes, kLargePage);
  const std::size_t unit = std::max(alignment, kLargePage);
  void* const whole =
      mmap(nullptr, size + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(whole);
  const auto address = reinterpret_cast<std::uintptr_t>(whole);
  const std::size_t before = rounded_up(address, unit) - address;
  if (before > 0) munmap(begin, before);
  if (before < unit) munmap(begin + before + size, unit - before);
  ask_for_large_pages(begin + before, bytes);
  return {begin + before, FreeMemory{size}};
}
#endif

}  // namespace

void FreeMemory::operator()(void* memory) const {
#if defined(__linux__)
  if (mapped > 0) {
    munmap(memory, mapped);
    return;
  }
#endif
  std::free(memory);
}

AlignedMemory allocate_aligned(std::size_t bytes, std::size_t alignment) {
  void* memory = nullptr;
  if (posix_memalign(&memory, is_large(bytes) ? std::max(alignment, kLargePage) : alignment,
                     std::max<std::size_t>(bytes, 1)) != 0)
    return nullptr;
#if defined(__linux__)
  if (is_large(bytes)) ask_for_large_pages(memory, bytes);
#endif
  return AlignedMemory(static_cast<std::byte*>(memory));
}

AlignedMemory allocate_zeroed(std::size_t bytes, std::size_t alignment) {
#if defined(__linux__)
  if (is_large(bytes)) return map_zeroed(bytes, alignment);
#endif
  AlignedMemory memory = allocate_aligned(bytes, alignment);
  if (memory != nullptr) std::memset(memory.get(), 0, bytes);
  return memory;
}

}  // namespace tenon

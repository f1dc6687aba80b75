#include "tenon/base/aligned_memory.h"

#include <algorithm>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tenon {

namespace {
constexpr std::size_t kLargePage = std::size_t{1} << 21;
}  // namespace

void FreeMemory::operator()(void* memory) const { std::free(memory); }

AlignedMemory allocate_aligned(std::size_t bytes, std::size_t alignment) {
  const bool is_large = bytes >= 2 * kLargePage;
  void* memory = nullptr;
  if (posix_memalign(&memory, is_large ? std::max(alignment, kLargePage) : alignment,
                     std::max<std::size_t>(bytes, 1)) != 0)
    return nullptr;
#if defined(__linux__)
  // Advice: where it is not taken, everything works as before.
  if (is_large) madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return AlignedMemory(static_cast<std::byte*>(memory));
}

}  // namespace tenon

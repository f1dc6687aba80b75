// Memory for tensors: aligned for vectors, large pieces in large pages.
#pragma once
#include <cstddef>
#include <memory>

namespace tenon {

struct FreeMemory {
  std::size_t mapped = 0;  // bytes that the system gave directly; 0 if malloc did
  void operator()(void* memory) const;
};
using AlignedMemory = std::unique_ptr<std::byte, FreeMemory>;

// At least so many bytes, their values unspecified, from an address that is a multiple of
// `alignment` (a power of two); null if they cannot be had. Pieces of several large pages ask the
// system for such: a step walks through megabytes, in strides that would meet a new small page at
// every row.
AlignedMemory allocate_aligned(std::size_t bytes, std::size_t alignment);

// The same, filled with zeros. Of a large piece no page is touched, so that whoever writes to it
// first, perhaps several threads, meets the cost.
AlignedMemory allocate_zeroed(std::size_t bytes, std::size_t alignment);

}  // namespace tenon

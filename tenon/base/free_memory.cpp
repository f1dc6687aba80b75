#include "tenon/base/free_memory.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>

#include <system_error>
#include <thread>
#include <vector>
#endif

namespace tenon {

#ifdef __GLIBC__
namespace {

// glibc's malloc keeps up to 7 freed pieces of every size up to 1032 bytes for the thread that
// freed them. malloc_trim does not look there, and each piece keeps its page. They are taken here,
// and freed by a thread that ends, which gives back its own.
void empty_cache_of_thread() {
  constexpr std::size_t kLeast = 24, kMost = 1032, kStep = 16;
  constexpr int kOfEach = 7;
  std::vector<void*> pieces;
  pieces.reserve(kOfEach * ((kMost - kLeast) / kStep + 1));
  for (std::size_t bytes = kLeast; bytes <= kMost; bytes += kStep)
    for (int i = 0; i < kOfEach; ++i) pieces.push_back(std::malloc(bytes));
  const auto free_all = [&] {
    for (void* piece : pieces) std::free(piece);
  };
  try {
    std::thread(free_all).join();
  } catch (const std::system_error&) {  // no thread can be had
    free_all();
  }
}

}  // namespace
#endif

void return_freed_memory() {
#ifdef __GLIBC__
  empty_cache_of_thread();
  ::malloc_trim(0);
#endif
}

}  // namespace tenon

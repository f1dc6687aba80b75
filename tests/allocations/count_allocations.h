// Counts calls of malloc and its kin in the whole process.
#pragma once
#include <atomic>

namespace tenon {

// Sanitizers bring their own malloc: the count stays 0, and tests of it are left out.
#ifndef TENON_SANITIZED
#define TENON_COUNTS_ALLOCATIONS 1
#endif
extern std::atomic<long> allocation_count;

}  // namespace tenon

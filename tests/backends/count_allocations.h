// Counts calls of malloc and its kin in the whole process while it is asked to.
#pragma once
#include <atomic>

namespace tenon::backends {

// False where the program's malloc cannot be replaced (sanitizers bring their own).
extern const bool kCountsAllocations;
extern std::atomic<long> allocation_count;

}  // namespace tenon::backends

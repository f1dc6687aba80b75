// What planning does to make a step faster or smaller, each of which can be left out.
#pragma once
#include "tenon/base/switches.h"

namespace tenon::schedule {

// A plan without one of these, or without all, computes the same, up to the order of sums of
// floats: what is fused with a reduction decides how its elements are dealt out.
struct PlanOptions {
  bool fuse_epilogues = true;    // pointwise work while a contraction's result is in registers
  bool fuse_rows = true;         // reductions of rows and what is done with them
  bool fuse_producers = true;    // a pointwise producer in the kernel that uses it
  bool fuse_siblings = true;     // reductions that read the same elements
  bool repeat_cheap = true;      // cheap nodes in every kernel that uses them
  bool rename_reshapes = true;   // the same memory under another shape
  bool make_in_place = true;     // outputs where they go, not copied there
  bool write_in_place = true;    // a result in the memory of an operand that nobody needs any more
  bool order_for_memory = true;  // the order of execution with the lowest peak that was found
  bool share_memory = true;      // values that are not alive at once at the same place
  bool share_kernels = true;     // one kernel for equal regions
  bool pack_once = true;         // what loops make of weights alone is made for all iterations
  bool take_invariants = true;   // launches that are the same in every iteration before the loop
};

// All of them, in the order of the fields.
std::span<const Switch<PlanOptions>> plan_switches();

}  // namespace tenon::schedule

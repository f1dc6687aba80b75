// What a contraction asks for while it computes, so that it is near when it is read.
#pragma once
#include "tenon/lower/contraction.h"

namespace tenon::lower {

// What an instance reads next comes to the second cache while it computes: part `number` of `parts`
// of the `count` elements from `start` on.
void prefetch_part(Emitter& emitter, kernel::BufferId from, kernel::ValueId start,
                   std::int64_t count, kernel::ValueId number, std::int64_t parts);
// Of the values that the epilogue of a tile reads, what the frame covers; or part `number` of
// `parts` of its rows.
void prefetch_epilogue(Emitter& emitter, const Contraction& problem, kernel::ValueId number = {},
                       std::int64_t parts = 1);

}  // namespace tenon::lower

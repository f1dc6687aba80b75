// Work of a loop that is the same in every iteration.
#pragma once
#include "tenon/schedule/plan.h"

namespace tenon::schedule {

// Takes the launches out of a loop's body that read nothing the body writes and write buffers of
// their own alone: copies of weights in another order. In order; they go before the loop, which
// lies `depth` Repeats deep. Buffers from `first_own` on were made for the body.
std::vector<PlanStep> take_invariants(const Plan& plan, std::vector<PlanStep>& body,
                                      std::uint32_t first_own, std::size_t depth);

}  // namespace tenon::schedule

// When the buffers of a plan are alive.
#pragma once
#include "tenon/schedule/memory.h"
#include "tenon/schedule/plan.h"

namespace tenon::schedule {

// Per buffer, in positions of the plan's copies and launches in order of their text. What a loop
// uses but does not own (it is used outside too) is alive during the whole loop. Buffers that no
// step uses have no bytes.
std::vector<Lifetime> buffer_lifetimes(const Plan& plan);

// The places that a step itself (not the steps inside it) reads and writes.
void visit_references(const Plan& plan, const PlanStep& step,
                      const std::function<void(const BufferRef&, bool is_written)>& visit);

}  // namespace tenon::schedule

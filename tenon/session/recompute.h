// What a step computes again rather than keeps, chosen by what the backend plans for it.
#pragma once
#include "tenon/session/program.h"
#include "tenon/session/session.h"

namespace tenon {

// The program under options.recompute. Of several ways to cut the forward pass into segments that
// which takes the least memory; of `automatic` the first policy that fits options.memory_limit, or
// the one that takes the least if none does. UserError for `automatic` without a limit.
void apply_recompute(Program& program, const StepOptions& options, backends::Backend& backend);

}  // namespace tenon

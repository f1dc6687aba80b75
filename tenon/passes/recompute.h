// Rematerialisation: the backward pass computes values of the forward pass again.
#pragma once
#include "tenon/passes/pass.h"

namespace tenon::passes {

// The graph of a whole step with context.recompute applied in context.recompute_segments segments
// of the forward pass: what is kept are the values between two segments (all of the last one), and
// for `cheap` also the results of expensive ops. The rest is computed again, by the same ops on the
// same values, once for each segment, from operands behind barriers that wait for the gradient
// that enters the segment from the next one. Which nodes are derivatives is in NodeInfo; a graph
// without any, and a policy of none, come back as they are. InternalError for `automatic`, which
// needs a planner (session/recompute.h).
ir::Graph recompute(const ir::Graph& graph, const PassContext& context);
// recompute alone, for the driver: after mixed_precision, before a backend's own passes.
std::span<const Pass> recompute_passes();

}  // namespace tenon::passes

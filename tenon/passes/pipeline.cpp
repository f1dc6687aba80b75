#include "tenon/ir/inline_composites.h"
#include "tenon/passes/passes.h"
#include "tenon/passes/precision.h"

namespace tenon::passes {

ir::Graph inline_composites(const ir::Graph& graph, const PassContext& context) {
  return ir::inline_composites(graph, context.keep);
}

std::span<const Pass> standard_passes() {
  static constexpr Pass kPasses[] = {
      {"inline_composites", inline_composites, true},
      {"widen_products", widen_products,
       true},                        // before hoist, which moves the copies out of loops
      {"merge_scans", merge_scans},  // before anything makes equal bodies differ
      {"remove_dead", remove_dead},
      {"hoist_sums", hoist_sums},
      {"hoist", hoist},
      {"fold_constants", fold_constants},
      {"simplify", simplify},
      {"move", move},
      {"merge_padding", merge_padding},
      // Movement leaves scalars and constants behind that meet again.
      {"fold_moved", fold_constants},
      {"simplify_moved", simplify},
      {"reuse_activations", reuse_activations},
      {"gather_scattered", gather_scattered},
      {"remove_unused", remove_dead},
  };
  return kPasses;
}

}  // namespace tenon::passes

#include "tenon/session/recompute.h"

#include <optional>
#include <set>

#include "tenon/passes/recompute.h"

namespace tenon {
namespace {

using passes::RecomputePolicy;

// Numbers of segments that are tried, until two in a row do not help.
constexpr int kSegments[] = {2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
constexpr int kMostInVain = 2;

struct Candidate {
  ir::Graph graph;
  std::int64_t bytes = 0;
};

Candidate candidate_of(ir::Graph graph, backends::Backend& backend) {
  const std::int64_t bytes = backend.plan(graph).report.total();
  return {std::move(graph), bytes};
}

// Improves on `best`, if that is possible.
void try_policy(const ir::Graph& graph, RecomputePolicy policy, backends::Backend& backend,
                Candidate& best) {
  std::set<std::uint64_t> known{graph.hash()};
  std::optional<std::int64_t> least;  // of this policy
  int in_vain = 0;
  for (const int segments : kSegments) {
    passes::PassOptions options;
    options.context.recompute = policy;
    options.context.recompute_segments = segments;
    ir::Graph changed = passes::run_passes(graph, options, passes::recompute_passes()).graph;
    if (!known.insert(changed.hash()).second) continue;
    Candidate candidate = candidate_of(std::move(changed), backend);
    const bool helps = !least || candidate.bytes < *least;
    if (!helps && ++in_vain == kMostInVain) return;
    if (!helps) continue;
    in_vain = 0;
    least = candidate.bytes;
    if (candidate.bytes < best.bytes) best = std::move(candidate);
  }
}

bool has_derivatives(const ir::Graph& graph) {
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
    if (const ir::NodeInfo* info = graph.info(i); info != nullptr && info->is_derivative)
      return true;
  return false;
}

}  // namespace

void apply_recompute(Program& program, const StepOptions& options, backends::Backend& backend) {
  if (options.recompute == RecomputePolicy::none) return;
  const bool is_automatic = options.recompute == RecomputePolicy::automatic;
  require(!is_automatic || options.memory_limit > 0,
          "recompute \"auto\" needs a limit of memory to keep to; set memory_limit, or choose "
          "\"cheap\" or \"full\"");
  if (!has_derivatives(program.graph)) return;  // nothing to plan for
  const ir::Graph graph = program.graph;
  Candidate best = candidate_of(program.graph, backend);
  for (const RecomputePolicy policy : {RecomputePolicy::cheap, RecomputePolicy::full}) {
    if (is_automatic && best.bytes <= options.memory_limit) break;
    if (is_automatic || policy == options.recompute) try_policy(graph, policy, backend, best);
  }
  program.graph = std::move(best.graph);
}

}  // namespace tenon

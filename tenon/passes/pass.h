// Passes: named functions Graph -> Graph, and the driver that runs, verifies and times them.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tenon/ir/graph.h"
#include "tenon/passes/precision_policy.h"
#include "tenon/passes/recompute_policy.h"

namespace tenon::passes {

// What a pass may need to know beyond the graph.
struct PassContext {
  // Composites (and CustomGradients) that the backend runs itself; all others are inlined.
  std::function<bool(const ir::Op&)> keep = [](const ir::Op&) { return false; };
  // For mixed_precision (precision.h): the policy, and the positions of the inputs that belong to
  // the optimizer. What depends on them stays in f32.
  PrecisionPolicy precision = PrecisionPolicy::f32;
  std::vector<std::uint32_t> optimizer_inputs{};
  // For widen_products: the backend has no products of narrow floats of its own.
  bool widens_products = false;
  // For recompute (recompute.h).
  RecomputePolicy recompute = RecomputePolicy::none;
  int recompute_segments = 1;
};

struct Pass {
  std::string_view name;
  ir::Graph (*run)(const ir::Graph&, const PassContext&);
  // What comes after relies on it: it is no optimisation, and cannot be left out.
  bool is_required = false;
};

// The list that every backend starts with, in order (pipeline.cpp). All of it is bit-exact, up to
// the payload of NaNs, but that `hoist_sums` lets sums of floats be taken in another order.
std::span<const Pass> standard_passes();

struct PassOptions {
  PassContext context;
  std::vector<std::string> skip;  // names of passes to leave out
  std::string stop_after;         // the last pass to run; all of them if empty
  // Called after each pass, for dumps: print(before), print(after).
  std::function<void(std::string_view pass, const ir::Graph& before, const ir::Graph& after)>
      observe;
};

struct PassTime {
  std::string_view name;
  double seconds = 0;  // without verification
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
};

struct PassResult {
  ir::Graph graph;
  std::vector<PassTime> times;  // of the passes that ran
};

// Runs the passes in order and verifies the graph after each. UserError if an option names no pass,
// or leaves out a required one; InternalError naming the pass that broke the graph.
PassResult run_passes(ir::Graph graph, const PassOptions& options = {},
                      std::span<const Pass> passes = standard_passes());

}  // namespace tenon::passes

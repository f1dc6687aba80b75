// Random well-typed graphs: small shapes, every element type, every op.
#pragma once
#include <vector>

#include "tenon/base/threefry.h"
#include "tenon/ir/build.h"

namespace tenon::fuzz {

struct RandomGraphOptions {
  int nodes = 40;          // about how many
  bool composites = true;  // softmax and the like too
  bool control = false;    // scan, while and cond too
  // Of floats only what has one right result bit by bit: no sums, no exp, no bits of a NaN.
  bool exact_floats = false;
  std::int64_t most_elements = 200;  // of one value
  std::vector<DType> dtypes = {kAllDTypes.begin(), kAllDTypes.end()};
};

// The same graph for the same seed and options. Leans towards patterns that rewrite rules know:
// neutral elements, repeated operands, chains of movement ops.
ir::Graph random_graph(std::uint64_t seed, const RandomGraphOptions& options = {});

// Most inputs become state, and most of those are updated: by any value of their type, so that a
// state may get its own elements in another order, another state's old value, or a constant.
ir::Graph with_random_state(const ir::Graph& graph, std::uint64_t seed);

}  // namespace tenon::fuzz

// Random well-typed graphs: small shapes, every element type, every op but control flow.
#pragma once
#include <vector>

#include "tenon/base/threefry.h"
#include "tenon/ir/build.h"

namespace tenon::fuzz {

struct RandomGraphOptions {
  int nodes = 40;                    // about how many
  bool composites = true;            // softmax and the like too
  std::int64_t most_elements = 200;  // of one value
  std::vector<DType> dtypes = {kAllDTypes.begin(), kAllDTypes.end()};
};

// The same graph for the same seed and options. Leans towards patterns that rewrite rules know:
// neutral elements, repeated operands, chains of movement ops.
ir::Graph random_graph(std::uint64_t seed, const RandomGraphOptions& options = {});

}  // namespace tenon::fuzz

// Graphs as readable text: one node per line, everything that equality compares, exactly.
#pragma once
#include <limits>
#include <string>

#include "tenon/ir/graph.h"

namespace tenon::ir {

struct PrintOptions {
  // Constants of more elements print their first few and "..."; such text does not parse back.
  std::int64_t longest_constant = std::numeric_limits<std::int64_t>::max();
  bool names = true;  // the comments with node names and source locations
};

// graph(%0 "x": f32[2,3] data) {
//   %1: f32[6] = reshape(%0) shape=[6]  // flatten train.cpp:12
//   return "y": %1
// }
// parse.h reads it back to an equal graph. Printing never fails, whatever is wrong in the graph.
std::string print(const Graph& graph, const PrintOptions& options = {});

// 128 bits of that text without names, in hexadecimal digits: equal for equal graphs, another for
// any other. Takes the place of the graph where one must be found again.
std::string digest(const Graph& graph);

}  // namespace tenon::ir

// Copying parts of a loop body into another graph.
#pragma once
#include <optional>
#include <vector>

#include "tenon/ir/build.h"

namespace tenon::passes {

// Copies values of `from` into a builder on demand: a value that is given stands for itself,
// others copy their node with its operands. InternalError at a Parameter that is not given.
class NodeCopier {
 public:
  NodeCopier(const ir::Graph& from, ir::Builder& to)
      : from_(from), to_(to), copies_(from.nodes().size()) {}
  void give(std::uint32_t node, ir::Value first) { copies_[node] = first; }
  ir::Value copy(ir::Value value);

 private:
  const ir::Graph& from_;
  ir::Builder& to_;
  std::vector<std::optional<ir::Value>> copies_;  // of each node's first result
};

// The Parameter node of each input, none where a (broken) graph lacks it.
std::vector<std::uint32_t> parameter_nodes(const ir::Graph& graph);

}  // namespace tenon::passes

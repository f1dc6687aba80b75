// For which parts of a model the kernels of a graph compute.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "tenon/lower/region.h"

namespace tenon::schedule {

using OriginRef = std::shared_ptr<const ir::Origin>;

class OriginTable {
 public:
  // `around`: of the loop or branch whose body the graph is; null for a whole step.
  OriginTable(const ir::Graph& graph, OriginRef around);

  // The origins of the nodes, each once: those of contractions, then that of the last node. Nodes
  // without one (updates of weights) are of the part that all of their operands are of, if that is
  // one.
  std::vector<OriginRef> of(std::span<const std::uint32_t> nodes) const;

 private:
  const ir::Graph& graph_;
  OriginRef around_;
  std::vector<OriginRef> own_, inherited_;  // per node
};

}  // namespace tenon::schedule

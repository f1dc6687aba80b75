// Runs lowered regions without a compiler, for tests of lowering and fusion.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "tenon/ir/graph.h"
#include "tenon/lower/region.h"

namespace tenon::lower {

// Runs the regions in order, after the graph's inputs; returns the graph's outputs. Scratch and
// results start as garbage. Parameters, constants and reshapes need no region.
ir::HostTensors evaluate_regions(const ir::Graph& graph, std::span<const Region> regions,
                                 const Target& target, std::span<const HostTensor> inputs);

// One region for each node that needs one: nothing is fused.
std::vector<Region> regions_of_single_nodes(const ir::Graph& graph);

// Empty if the tensors agree: exactly, or for floats within `tolerance` times the largest
// magnitude among the expected elements (NaN equals NaN).
std::string compare(const HostTensor& found, const HostTensor& expected, double tolerance);

const std::vector<Target>& test_targets();

}  // namespace tenon::lower

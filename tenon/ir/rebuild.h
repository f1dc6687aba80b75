// Making a changed copy of a graph: what inlining and every rewriting pass are made of.
#pragma once
#include <functional>

#include "tenon/ir/graph.h"

namespace tenon::ir {

// What takes a node's place: one value per result, of equal types, or none to keep the node.
using Replacement = std::optional<std::vector<Value>>;

// A node of the old graph, and the operands it has in the new one.
struct RebuildNode {
  Builder& builder;
  const Graph& graph;
  std::uint32_t index;
  const Op& op;
  std::span<const Value> operands;
};

// Inputs, then what the outputs need, each node after its operands: an order that depends on
// nothing but the program, where the order in which nodes were made is up to the compiler that
// built Tenon (C++ leaves open which argument of a call is evaluated first).
std::vector<std::uint32_t> nodes_by_need(const Graph& graph);

// Copies the nodes of `nodes_by_need`, in its order, asking `replace` about each node but
// Parameters; the signature stays. Names travel: nodes that a replacement adds get the name of the
// node they replace. InternalError if a replacement has other types than the node.
Graph rebuild(const Graph& graph, const std::function<Replacement(const RebuildNode&)>& replace);

// For each node whether an output depends on it.
std::vector<bool> live_nodes(const Graph& graph);

}  // namespace tenon::ir

// Runs a graph one node at a time with the ops' own evaluate(): the judge of every backend.
#pragma once
#include <functional>

#include "tenon/ir/graph.h"

namespace tenon::ir {

// One tensor per output. UserError if the inputs do not match the signature.
HostTensors interpret(const Graph& graph, OperandValues inputs);
HostTensors interpret(const Graph& graph, std::span<const HostTensor> inputs);

// Called with each node that is computed, in order: its index, its operands and its results. Inputs
// are not computed; what is inside of scans, loops and branches is not shown.
using NodeObserver =
    std::function<void(std::uint32_t node, OperandValues operands, const HostTensors& results)>;
HostTensors interpret(const Graph& graph, OperandValues inputs, const NodeObserver& observe);

}  // namespace tenon::ir

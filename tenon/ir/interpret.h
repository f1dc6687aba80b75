// Runs a graph one node at a time with the ops' own evaluate(): the judge of every backend.
#pragma once
#include "tenon/ir/graph.h"

namespace tenon::ir {

// One tensor per output. UserError if the inputs do not match the signature.
HostTensors interpret(const Graph& graph, OperandValues inputs);
HostTensors interpret(const Graph& graph, std::span<const HostTensor> inputs);

}  // namespace tenon::ir

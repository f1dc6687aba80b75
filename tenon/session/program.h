// From tensors to a graph: what a step computes, with its inputs and updates made explicit.
#pragma once
#include <span>

#include "tenon/base/resident_memory.h"
#include "tenon/ir/graph.h"
#include "tenon/tensor/tensor.h"

namespace tenon {

// A graph and the variables behind its state inputs.
struct Program {
  ir::Graph graph;                  // inputs: placeholders in the given order, then variables
  std::vector<Variable> variables;  // in order of the state inputs
  std::size_t placeholders = 0;
  // Outputs: the fetches, then the values to print under these labels, then updates of variables.
  std::size_t fetches = 0;
  std::vector<std::string> prints;
  // A Program is made while this grows: begin before the trace to have all of it counted.
  TemporaryMemory memory{};
  bool operator==(const Program& other) const {
    return graph == other.graph && variables == other.variables && fetches == other.fetches &&
           placeholders == other.placeholders && prints == other.prints;
  }
};

// Keeps only what the fetches and updates need, and prints only what is computed anyway.
// Placeholders may be unused; UserError naming the first placeholder that is needed and not
// listed, if a variable is updated twice, and if there are updates but not those that layers asked
// for (nn::Context::assign) whose inputs are computed.
Program make_program(std::span<const Tensor> fetches, std::span<const Update> updates,
                     std::span<const Tensor> placeholders);

}  // namespace tenon

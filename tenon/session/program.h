// From tensors to a graph: what a step computes, with its inputs and updates made explicit.
#pragma once
#include <span>

#include "tenon/ir/graph.h"
#include "tenon/tensor/tensor.h"

namespace tenon {

// A graph and the variables behind its state inputs.
struct Program {
  ir::Graph graph;                  // inputs: placeholders in the given order, then variables
  std::vector<Variable> variables;  // in order of the state inputs
  std::size_t fetches = 0;          // outputs 0 ... fetches - 1; the rest update variables
};

// Keeps only what the fetches and updates need. Placeholders may be unused; UserError naming the
// first placeholder that is needed and not listed, and if a variable is updated twice.
Program make_program(std::span<const Tensor> fetches, std::span<const Update> updates,
                     std::span<const Tensor> placeholders);

}  // namespace tenon

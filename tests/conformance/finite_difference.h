// Compares the derivative of a graph with finite differences.
#pragma once
#include <span>
#include <string>

#include "tenon/ir/graph.h"

namespace tenon::conformance {

struct GradientCheck {
  double error = 0;   // largest |a - n| / max(|a|, |n|, 1e-3); infinity if either is NaN
  std::string where;  // "input 1, element 3: derivative 2, finite difference 2.5"
};

// Derivative of the graph at the inputs (float ones must be f64) against fourth-order central
// differences of sum(cotangent * output) with random cotangents: along each element of each float
// input (at most 64 of them) and along one random direction. Float outputs must be f64 too.
GradientCheck check_gradient(const ir::Graph& graph, std::span<const HostTensor> inputs,
                             std::uint64_t seed = 1);

// The same for the graph that differentiate() gives, which has the cotangents as further inputs.
GradientCheck check_second_gradient(const ir::Graph& graph, std::span<const HostTensor> inputs,
                                    std::uint64_t seed = 2);

}  // namespace tenon::conformance

// Helpers for tests of derivatives: against finite differences, and exact values at given points.
#pragma once
#include <gtest/gtest.h>

#include "../conformance/finite_difference.h"
#include "op_testing.h"
#include "tenon/autodiff/grad.h"

namespace tenon::ir {

// First and second derivatives of the graph agree with finite differences at the inputs.
inline void expect_derivatives(const Graph& graph, const HostTensors& inputs,
                               std::string_view what) {
  const auto first = conformance::check_gradient(graph, inputs);
  EXPECT_LE(first.error, 1e-6) << what << ", first derivative, " << first.where;
  const auto second = conformance::check_second_gradient(graph, inputs);
  EXPECT_LE(second.error, 1e-6) << what << ", second derivative, " << second.where;
}
inline void expect_derivatives(const Op& op, const HostTensors& inputs) {
  expect_derivatives(single_op_graph(op, types_of(inputs)), inputs, name(op));
}

// Gradients of the op's float inputs for the cotangents, by differentiate().
inline HostTensors gradients_of(const Op& op, const HostTensors& inputs,
                                const HostTensors& cotangents) {
  const VectorJacobian derivative = autodiff::differentiate(single_op_graph(op, types_of(inputs)));
  HostTensors all = inputs;
  all.insert(all.end(), cotangents.begin(), cotangents.end());
  return interpret(*derivative.graph, all);
}

}  // namespace tenon::ir

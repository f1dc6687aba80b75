// Reverse-mode differentiation.
#pragma once
#include "tenon/ir/graph.h"

namespace tenon::autodiff {

// Appends to the builder the gradients of sum(cotangent_i * output_i) with respect to each of
// `wrt`. Nodes that do not lie between them are left alone; where nothing flows the gradient is
// zeros. UserError if a node on the path has no derivative, or if `wrt` is not of a float type.
// Cotangents have the types of the outputs.
std::vector<ir::Value> append_gradients(ir::Builder& builder, std::span<const ir::Value> outputs,
                                        std::span<const ir::Value> cotangents,
                                        std::span<const ir::Value> wrt);

// Gradients of a float scalar: its cotangent is one.
std::vector<ir::Value> append_gradients(ir::Builder& builder, ir::Value loss,
                                        std::span<const ir::Value> wrt);

// The derivative of a whole graph, as ir::VectorJacobian describes.
ir::VectorJacobian differentiate(const ir::Graph& graph);

}  // namespace tenon::autodiff

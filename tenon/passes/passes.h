// Every pass, one line each.
#pragma once
#include "tenon/passes/pass.h"
#include "tenon/passes/rewrite.h"

namespace tenon::passes {

// Composites the context does not keep become their definitions.
ir::Graph inline_composites(const ir::Graph& graph, const PassContext& context);
// Nodes no output depends on; results, operands and carried values of loops nothing reads.
ir::Graph remove_dead(const ir::Graph& graph, const PassContext& context = {});
// Loops over the same operands that carry the same values become one loop.
ir::Graph merge_scans(const ir::Graph& graph, const PassContext& context = {});
// A value to which each step of a loop adds a product or a sum, and that nothing else reads,
// becomes one product or sum over all steps, behind the loop.
ir::Graph hoist_sums(const ir::Graph& graph, const PassContext& context = {});
// What a loop computes from invariants moves before it; products of scanned values with invariants
// become one product before it.
ir::Graph hoist(const ir::Graph& graph, const PassContext& context = {});
// Small nodes whose operands are constants become constants.
ir::Graph fold_constants(const ir::Graph& graph, const PassContext& context = {});
// Algebraic identities.
ir::Graph simplify(const ir::Graph& graph, const PassContext& context = {});
// Reshapes, transposes and broadcasts merge, cancel, move outward and fold into dots.
ir::Graph move(const ir::Graph& graph, const PassContext& context = {});
// Zeros padded around the images of convolutions are padded by those. The same bits unless a weight
// is not finite.
ir::Graph merge_padding(const ir::Graph& graph, const PassContext& context = {});
// What a relu lets through is seen in its result: masks of gradients read that where it is kept
// anyway, so that its operand is not.
ir::Graph reuse_activations(const ir::Graph& graph, const PassContext& context = {});
// A few rows scattered over many equal ones (the gradient of an embedding) are combined in a small
// array and read from there.
ir::Graph gather_scattered(const ir::Graph& graph, const PassContext& context = {});

// The rules behind fold_constants, simplify and move.
std::span<const Rule> constant_rules();
std::span<const Rule> arithmetic_rules();
std::span<const Rule> trivial_movement_rules();
std::span<const Rule> movement_rules();

}  // namespace tenon::passes

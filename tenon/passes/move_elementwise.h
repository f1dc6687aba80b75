// The rules that move reshapes, transposes and broadcasts across elementwise ops and into dots.
#pragma once
#include "tenon/passes/rewrite.h"

namespace tenon::passes {

// Elementwise, select, cast and bitcast: each result element needs the same element of the
// operands.
bool is_elementwise(const ir::Op& op);

// f(move(x), move(y)) -> move(f(x, y)): one movement instead of several.
ir::Replacement move_outward(const Match& m);
// move(f(move(x), splat)) -> f(merged(x), splat): the movements merge or cancel.
ir::Replacement merge_through_elementwise(const Match& m);
// f(broadcast(x), broadcast(y)) -> broadcast(f(x, y)): less to compute.
ir::Replacement broadcast_outward(const Match& m);

// dot(transpose(x), y) -> dot(x, y) with other dimension numbers.
ir::Replacement transpose_into_dot(const Match& m);
// transpose(dot(x, y)) -> dot(y, x) where the transpose swaps the free axes of x with those of y.
ir::Replacement transpose_of_dot(const Match& m);

}  // namespace tenon::passes

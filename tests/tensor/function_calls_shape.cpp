// The functions of shape.h and indexing.h.
#include "function_calls.h"

namespace tenon::samples {

void add_shapes(Calls& calls) {
  CALL(reshape, reshape(x[0], a.list("shape")));
  CALL(flatten, flatten(x[0], a.integer("first_axis")));
  CALL(squeeze, squeeze(x[0], a.list("axes")));
  CALL(expand_dims, expand_dims(x[0], a.integer("axis")));
  CALL(transpose, transpose(x[0], a.list("permutation")));
  CALL(swap_axes, swap_axes(x[0], a.integer("a"), a.integer("b")));
  CALL(move_axis, move_axis(x[0], a.integer("from"), a.integer("to")));
  CALL(broadcast_to, broadcast_to(x[0], a.list("shape")));
  CALL(concatenate, concatenate(x, a.integer("axis")));
  CALL(stack, stack(x, a.integer("axis")));
  CALL_LIST(split, split(x[0], a.integer("parts"), a.integer("axis")));
  CALL_LIST(split_sizes, split_sizes(x[0], a.list("sizes"), a.integer("axis")));
  CALL_LIST(unstack, unstack(x[0], a.integer("axis")));
  CALL(tile, tile(x[0], a.list("repeats")));
  CALL(repeat, repeat(x[0], a.integer("count"), a.integer("axis")));
  CALL(pad, pad(x[0], a.list("before"), a.list("after"), a.number("value")));
  CALL(flip, flip(x[0], a.list("axes")));
  CALL(roll, roll(x[0], a.integer("shift"), a.integer("axis")));
  CALL(slice,
       slice(x[0], a.integer("axis"), a.integer("start"), a.maybe("limit"), a.integer("step", 1)));
  CALL(index, index(x[0], a.integer("position"), a.integer("axis")));
  CALL(dynamic_slice, dynamic_slice(x[0], x.subspan(1), a.list("sizes")));
  CALL(dynamic_update_slice, dynamic_update_slice(x[0], x[1], x.subspan(2)));
  CALL(zeros, zeros(a.list("shape"), a.dtype()));
  CALL(ones, ones(a.list("shape"), a.dtype()));
  CALL(full, full(a.list("shape"), a.number("value"), a.dtype()));
  CALL(zeros_like, zeros_like(x[0]));
  CALL(ones_like, ones_like(x[0]));
  CALL(full_like, full_like(x[0], a.number("value")));
  CALL(arange, arange(a.number("start"), a.number("stop"), a.number("step"), a.dtype()));
  CALL(linspace, linspace(a.number("start"), a.number("stop"), a.integer("count"), a.dtype()));
  CALL(iota, iota(a.list("shape"), a.integer("axis")));
  CALL(eye, eye(a.integer("rows"), a.maybe("columns"), a.dtype()));
  CALL(tril, tril(x[0], a.integer("k")));
  CALL(triu, triu(x[0], a.integer("k")));
  CALL(diag, diag(x[0]));
  CALL(trace, trace(x[0]));
}

void add_indexing(Calls& calls) {
  CALL(take, take(x[0], x[1], a.integer("axis")));
  CALL(take_along_axis, take_along_axis(x[0], x[1], a.integer("axis")));
  CALL(gather_nd, gather_nd(x[0], x[1]));
  CALL(embedding_lookup, embedding_lookup(x[0], x[1]));
  CALL(scatter_set, scatter_set(x[0], x[1], x[2], a.integer("axis")));
  CALL(scatter_add, scatter_add(x[0], x[1], x[2], a.integer("axis")));
  CALL(scatter_min, scatter_min(x[0], x[1], x[2], a.integer("axis")));
  CALL(scatter_max, scatter_max(x[0], x[1], x[2], a.integer("axis")));
  CALL(segment_sum, segment_sum(x[0], x[1], a.integer("segments")));
  CALL(one_hot, one_hot(x[0], a.integer("depth"), a.dtype(), a.integer("axis", -1)));
  CALL(sort, sort(x[0], a.integer("axis", -1), a.flag("descending")));
  CALL(argsort, argsort(x[0], a.integer("axis", -1), a.flag("descending")));
  calls["top_k"] = [](Inputs x, const Arguments& a) {
    const TopK result = top_k(x[0], a.integer("k"), a.integer("axis", -1));
    return std::vector<Tensor>{result.values, result.indices};
  };
  CALL(searchsorted, searchsorted(x[0], x[1]));
}

}  // namespace tenon::samples

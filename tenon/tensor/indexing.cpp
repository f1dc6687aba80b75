#include "tenon/tensor/indexing.h"

#include "tenon/tensor/build.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/promotion.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon {
namespace {

void require_integers(const Tensor& indices, std::string_view what) {
  require(is_integer(indices.dtype()), "{}: indices must be integers, got {}", what,
          indices.type());
}

// Index vectors of one element: what Gather and Scatter along a single axis take.
Tensor as_vectors(const Tensor& indices) { return expand_dims(indices, -1); }

Tensor scatter_rows(ir::ScatterKind kind, const Tensor& x, const Tensor& indices,
                    const Tensor& updates, std::int64_t axis, std::string_view what) {
  require_integers(indices, what);
  const std::int64_t chosen = normalize_axis(axis, x.rank(), what);
  const Tensor values = cast(updates, x.dtype());
  // The op wants the index axes first.
  Tensor ordered = values;
  if (chosen > 0) {
    Axes permutation;
    for (std::int64_t i = 0; i < indices.rank(); ++i) permutation.push_back(chosen + i);
    for (std::int64_t i = 0; i < values.rank(); ++i)
      if (i < chosen || i >= chosen + indices.rank()) permutation.push_back(i);
    ordered = transpose(values, permutation);
  }
  return apply_op(ir::Scatter{kind, {chosen}, 0}, {x, as_vectors(indices), ordered});
}

}  // namespace

Tensor take(const Tensor& x, const Tensor& indices, std::int64_t axis) {
  require_integers(indices, "take");
  const std::int64_t chosen = normalize_axis(axis, x.rank(), "take");
  const Tensor rows = apply_op(ir::Gather{{chosen}, 0}, {x, as_vectors(indices)});
  if (chosen == 0 || indices.rank() == 0) return rows;
  Axes permutation;  // result of the op: index axes, then the rest of x
  for (std::int64_t i = 0; i < chosen; ++i) permutation.push_back(indices.rank() + i);
  for (std::int64_t i = 0; i < indices.rank(); ++i) permutation.push_back(i);
  for (std::int64_t i = indices.rank() + chosen; i < rows.rank(); ++i) permutation.push_back(i);
  return transpose(rows, permutation);
}

Tensor take_along_axis(const Tensor& x, const Tensor& indices, std::int64_t axis) {
  require_integers(indices, "take_along_axis");
  require(indices.rank() == x.rank(), "take_along_axis: ranks of {} and {} differ", x.type(),
          indices.type());
  const std::int64_t last = x.rank() - 1;
  const Tensor moved = move_axis(x, axis, last);
  const Tensor moved_indices = move_axis(indices, axis, last);
  const Tensor picked = apply_op(ir::Gather{{last}, last}, {moved, as_vectors(moved_indices)});
  return move_axis(picked, last, axis);
}

Tensor gather_nd(const Tensor& x, const Tensor& indices) {
  require_integers(indices, "gather_nd");
  require(indices.rank() >= 1 && indices.extent(-1) <= x.rank(),
          "gather_nd: index vectors of {} do not fit {}", indices.type(), x.type());
  Axes axes;
  for (std::int64_t i = 0; i < indices.extent(-1); ++i) axes.push_back(i);
  return apply_op(ir::Gather{axes, 0}, {x, indices});
}

Tensor embedding_lookup(const Tensor& table, const Tensor& ids) { return take(table, ids, 0); }

Tensor scatter_set(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis) {
  return scatter_rows(ir::ScatterKind::set, x, indices, updates, axis, "scatter_set");
}
Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis) {
  return scatter_rows(ir::ScatterKind::add, x, indices, updates, axis, "scatter_add");
}
Tensor scatter_min(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis) {
  return scatter_rows(ir::ScatterKind::min, x, indices, updates, axis, "scatter_min");
}
Tensor scatter_max(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis) {
  return scatter_rows(ir::ScatterKind::max, x, indices, updates, axis, "scatter_max");
}

Tensor segment_sum(const Tensor& x, const Tensor& ids, std::int64_t segments) {
  require(x.rank() >= 1 && ids.shape() == Shape{x.extent(0)},
          "segment_sum: ids {} do not name one segment per row of {}", ids.type(), x.type());
  Shape shape = x.shape();
  shape[0] = segments;
  return scatter_add(zeros(shape, x.dtype()), ids, x);
}

Tensor one_hot(const Tensor& indices, std::int64_t depth, DType dtype, std::int64_t axis) {
  require_integers(indices, "one_hot");
  require(depth >= 0, "one_hot: depth {} is negative", depth);
  const std::int64_t chosen = normalize_axis(axis, indices.rank() + 1, "one_hot");
  Shape shape = indices.shape();
  shape.insert(shape.begin() + chosen, depth);
  const Tensor wide = cast(indices, DType::i64);
  return cast(equal(expand_dims(wide, chosen), iota(shape, chosen, DType::i64)), dtype);
}

Tensor sort(const Tensor& x, std::int64_t axis, bool descending) {
  return apply_op(ir::Sort{normalize_axis(axis, x.rank(), "sort"), descending}, {x});
}

Tensor argsort(const Tensor& x, std::int64_t axis, bool descending) {
  const std::int64_t chosen = normalize_axis(axis, x.rank(), "argsort");
  return apply_op_all(ir::Sort{chosen, descending}, {x, iota(x.shape(), chosen)})[1];
}

TopK top_k(const Tensor& x, std::int64_t k, std::int64_t axis) {
  const std::int64_t chosen = normalize_axis(axis, x.rank(), "top_k");
  require(k >= 0 && k <= x.extent(chosen), "top_k: k = {} does not fit axis {} of {}", k, axis,
          x.type());
  const std::vector<Tensor> both =
      apply_op_all(ir::Sort{chosen, true}, {x, iota(x.shape(), chosen)});
  return {slice(both[0], chosen, 0, k), slice(both[1], chosen, 0, k)};
}

Tensor searchsorted(const Tensor& sorted, const Tensor& values) {
  require(sorted.rank() == 1, "searchsorted: needs a sorted vector, got {}", sorted.type());
  const Tensor below = sorted < expand_dims(values, -1);
  return sum(cast(below, DType::i32), {-1});
}

}  // namespace tenon

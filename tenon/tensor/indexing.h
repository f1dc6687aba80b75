// Reading and writing at computed positions, and sorting. Indices are integers; reads clamp those
// out of range, writes drop them. Negative indices known only at run time do not wrap.
#pragma once
#include <optional>

#include "tenon/tensor/tensor.h"

namespace tenon {

// x at the indices along one axis: shape x[:axis] + indices + x[axis+1:].
Tensor take(const Tensor& x, const Tensor& indices, std::int64_t axis = 0);
// result[..., i, ...] = x[..., indices[..., i, ...], ...]: shapes equal but for the axis.
Tensor take_along_axis(const Tensor& x, const Tensor& indices, std::int64_t axis);
// x[indices[..., :]]: the last axis of indices (extent k) addresses the first k axes of x.
Tensor gather_nd(const Tensor& x, const Tensor& indices);
// Rows of a table [rows, ...]: take along axis 0.
Tensor embedding_lookup(const Tensor& table, const Tensor& ids);

// x with updates combined at rows `indices` of the axis; updates shaped as take's result.
Tensor scatter_set(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis = 0);
Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis = 0);
Tensor scatter_min(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis = 0);
Tensor scatter_max(const Tensor& x, const Tensor& indices, const Tensor& updates,
                   std::int64_t axis = 0);
// result[s] = sum of the rows of x whose segment id is s.
Tensor segment_sum(const Tensor& x, const Tensor& ids, std::int64_t segments);

// One where the index equals the position along a new axis; all zeros for an index out of range.
Tensor one_hot(const Tensor& indices, std::int64_t depth, DType dtype = DType::f32,
               std::int64_t axis = -1);

Tensor sort(const Tensor& x, std::int64_t axis = -1, bool descending = false);
Tensor argsort(const Tensor& x, std::int64_t axis = -1, bool descending = false);  // i32, stable
struct TopK {
  Tensor values;   // largest first
  Tensor indices;  // i32; the first of equals comes first
};
TopK top_k(const Tensor& x, std::int64_t k, std::int64_t axis = -1);
// For each value the number of elements of the sorted vector that are below it (i32).
Tensor searchsorted(const Tensor& sorted, const Tensor& values);

}  // namespace tenon

// Functions that change shape or order and compute nothing. Axes may be negative.
#pragma once
#include <optional>

#include "tenon/tensor/tensor.h"

namespace tenon {

// One extent may be -1: it is inferred. UserError if the element counts differ.
Tensor reshape(const Tensor& x, Shape shape);
Tensor flatten(const Tensor& x, std::int64_t first_axis = 0);  // first_axis and all after it
Tensor squeeze(const Tensor& x, Axes axes = {});               // no axes: every one of extent 1
Tensor expand_dims(const Tensor& x, std::int64_t axis);
Tensor transpose(const Tensor& x, Axes permutation = {});  // no permutation: reversed
Tensor swap_axes(const Tensor& x, std::int64_t a, std::int64_t b);
Tensor move_axis(const Tensor& x, std::int64_t from, std::int64_t to);
Tensor broadcast_to(const Tensor& x, const Shape& shape);

Tensor concatenate(std::span<const Tensor> tensors, std::int64_t axis = 0);
Tensor stack(std::span<const Tensor> tensors, std::int64_t axis = 0);
std::vector<Tensor> split(const Tensor& x, std::int64_t parts, std::int64_t axis = 0);
std::vector<Tensor> split_sizes(const Tensor& x, std::span<const std::int64_t> sizes,
                                std::int64_t axis = 0);
inline std::vector<Tensor> split_sizes(const Tensor& x, std::initializer_list<std::int64_t> sizes,
                                       std::int64_t axis = 0) {
  return split_sizes(x, std::span<const std::int64_t>(sizes.begin(), sizes.size()), axis);
}
std::vector<Tensor> unstack(const Tensor& x, std::int64_t axis = 0);
Tensor tile(const Tensor& x, Shape repeats);  // the whole tensor, repeats[i] times along axis i
Tensor repeat(const Tensor& x, std::int64_t count, std::int64_t axis);  // each element

// before/after elements of `value` around each axis.
Tensor pad(const Tensor& x, Shape before, Shape after, const Tensor& value = Tensor(0));
Tensor flip(const Tensor& x, Axes axes = {});
Tensor roll(const Tensor& x, std::int64_t shift, std::int64_t axis);

// Elements start, start + step, ... below limit along one axis; negative start and limit count
// from the end, no limit means the end.
Tensor slice(const Tensor& x, std::int64_t axis, std::int64_t start,
             std::optional<std::int64_t> limit = {}, std::int64_t step = 1);
// The sub-tensor at one position of an axis, which disappears.
Tensor index(const Tensor& x, std::int64_t position, std::int64_t axis = 0);
// A slice whose start is known at run time (one integer scalar per axis), clamped to fit.
Tensor dynamic_slice(const Tensor& x, std::span<const Tensor> starts, Shape sizes);
Tensor dynamic_update_slice(const Tensor& x, const Tensor& update, std::span<const Tensor> starts);

// New tensors.
Tensor zeros(Shape shape, DType dtype = DType::f32);
Tensor ones(Shape shape, DType dtype = DType::f32);
Tensor full(Shape shape, double value, DType dtype = DType::f32);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
Tensor full_like(const Tensor& x, double value);
// start, start + step, ... below stop.
Tensor arange(double start, double stop, double step = 1, DType dtype = DType::f32);
Tensor linspace(double start, double stop, std::int64_t count, DType dtype = DType::f32);
Tensor iota(Shape shape, std::int64_t axis, DType dtype = DType::i32);
Tensor eye(std::int64_t rows, std::optional<std::int64_t> columns = {}, DType dtype = DType::f32);
// Keeps the elements on and below (above) diagonal k of the last two axes.
Tensor tril(const Tensor& x, std::int64_t k = 0);
Tensor triu(const Tensor& x, std::int64_t k = 0);
// [n] -> [n, n] with x on the diagonal; [n, m] -> its diagonal.
Tensor diag(const Tensor& x);
Tensor trace(const Tensor& x);

}  // namespace tenon

#include "tenon/tensor/shape.h"

#include <numeric>

#include "tenon/tensor/build.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/promotion.h"
#include "tenon/tensor/reduce.h"

namespace tenon {
namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

}  // namespace

Tensor reshape(const Tensor& x, Shape shape) {
  const auto unknown = std::ranges::count(shape, -1);
  require(unknown <= 1, "reshape: {} has more than one -1", tenon::to_string(shape));
  if (unknown == 1) {
    std::int64_t known = 1;
    for (const std::int64_t extent : shape)
      if (extent != -1) known = checked_multiply(known, extent, "reshape");
    require(known > 0 && x.size() % known == 0, "reshape: {} does not fit {}", x.type(),
            tenon::to_string(shape));
    *std::ranges::find(shape, -1) = x.size() / known;
  }
  const std::int64_t count = element_count(shape);
  require(count == x.size(), "reshape: {} has {} elements, {} has {}", x.type(), x.size(),
          tenon::to_string(shape), count);
  return x.shape() == shape ? x : apply_op(ir::Reshape{std::move(shape)}, {x});
}

Tensor flatten(const Tensor& x, std::int64_t first_axis) {
  if (x.rank() == 0) return reshape(x, {1});
  const std::size_t first = at(normalize_axis(first_axis, x.rank(), "flatten"));
  Shape shape(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(first));
  shape.push_back(
      element_count({x.shape().begin() + static_cast<std::ptrdiff_t>(first), x.shape().end()}));
  return reshape(x, shape);
}

Tensor squeeze(const Tensor& x, Axes axes) {
  std::vector<bool> drop(x.shape().size());
  for (std::size_t i = 0; i < drop.size(); ++i) drop[i] = axes.empty() && x.shape()[i] == 1;
  for (const std::int64_t axis : axes) {
    const std::size_t i = at(normalize_axis(axis, x.rank(), "squeeze"));
    require(x.shape()[i] == 1, "squeeze: axis {} of {} has extent {}, not 1", axis, x.type(),
            x.shape()[i]);
    drop[i] = true;
  }
  Shape shape;
  for (std::size_t i = 0; i < drop.size(); ++i)
    if (!drop[i]) shape.push_back(x.shape()[i]);
  return reshape(x, shape);
}

Tensor expand_dims(const Tensor& x, std::int64_t axis) {
  Shape shape = x.shape();
  shape.insert(shape.begin() + normalize_axis(axis, x.rank() + 1, "expand_dims"), 1);
  return reshape(x, shape);
}

Tensor transpose(const Tensor& x, Axes permutation) {
  if (permutation.empty()) {
    permutation.resize(x.shape().size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  for (std::int64_t& axis : permutation) axis = normalize_axis(axis, x.rank(), "transpose");
  const bool identity =
      std::ranges::adjacent_find(permutation, std::ranges::greater_equal{}) == permutation.end() &&
      static_cast<std::int64_t>(permutation.size()) == x.rank();
  return identity ? x : apply_op(ir::Transpose{std::move(permutation)}, {x});
}

Tensor swap_axes(const Tensor& x, std::int64_t a, std::int64_t b) {
  Axes permutation(x.shape().size());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[at(normalize_axis(a, x.rank(), "swap_axes"))],
            permutation[at(normalize_axis(b, x.rank(), "swap_axes"))]);
  return transpose(x, permutation);
}

Tensor move_axis(const Tensor& x, std::int64_t from, std::int64_t to) {
  Axes permutation(x.shape().size());
  std::iota(permutation.begin(), permutation.end(), 0);
  const std::int64_t source = normalize_axis(from, x.rank(), "move_axis");
  permutation.erase(permutation.begin() + source);
  permutation.insert(permutation.begin() + normalize_axis(to, x.rank(), "move_axis"), source);
  return transpose(x, permutation);
}

Tensor concatenate(std::span<const Tensor> tensors, std::int64_t axis) {
  require(!tensors.empty(), "concatenate: no tensors");
  const std::vector<Tensor> all = promote_types(tensors, "concatenate");
  const std::int64_t chosen = normalize_axis(axis, all[0].rank(), "concatenate");
  return all.size() == 1 ? all[0] : apply_op(ir::Concatenate{chosen}, all);
}

Tensor stack(std::span<const Tensor> tensors, std::int64_t axis) {
  std::vector<Tensor> expanded;
  for (const Tensor& x : tensors) {
    require(x.shape() == tensors[0].shape(), "stack: shapes {} and {} differ",
            tenon::to_string(tensors[0].shape()), tenon::to_string(x.shape()));
    expanded.push_back(expand_dims(x, axis));
  }
  require(!expanded.empty(), "stack: no tensors");
  return concatenate(expanded, normalize_axis(axis, expanded[0].rank(), "stack"));
}

std::vector<Tensor> split_sizes(const Tensor& x, std::span<const std::int64_t> sizes,
                                std::int64_t axis) {
  const std::int64_t chosen = normalize_axis(axis, x.rank(), "split");
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    require(size >= 0, "split: size {} is negative", size);
    start = checked_add(start, size, "split");
  }
  require(start == x.extent(chosen), "split: sizes sum to {}, axis {} has extent {}", start, axis,
          x.extent(chosen));
  std::vector<Tensor> parts;
  start = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(slice(x, chosen, start, start + size));
    start += size;
  }
  return parts;
}

std::vector<Tensor> split(const Tensor& x, std::int64_t parts, std::int64_t axis) {
  const std::int64_t extent = x.extent(normalize_axis(axis, x.rank(), "split"));
  require(parts > 0 && extent % parts == 0, "split: extent {} does not divide into {} parts",
          extent, parts);
  return split_sizes(x, std::vector<std::int64_t>(at(parts), extent / parts), axis);
}

std::vector<Tensor> unstack(const Tensor& x, std::int64_t axis) {
  std::vector<Tensor> parts;
  for (std::int64_t i = 0; i < x.extent(axis); ++i) parts.push_back(index(x, i, axis));
  return parts;
}

Tensor tile(const Tensor& x, Shape repeats) {
  require(static_cast<std::int64_t>(repeats.size()) == x.rank(), "tile: {} repeats for rank {}",
          repeats.size(), x.rank());
  Shape between, result;
  Axes kept;
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    require(repeats[i] >= 0, "tile: repeat {} is negative", repeats[i]);
    between.push_back(repeats[i]);
    between.push_back(x.shape()[i]);
    kept.push_back(static_cast<std::int64_t>(2 * i + 1));
    result.push_back(checked_multiply(repeats[i], x.shape()[i], "tile"));
  }
  return reshape(x.rank() == 0 ? x : apply_op(ir::Broadcast{between, kept}, {x}), result);
}

Tensor repeat(const Tensor& x, std::int64_t count, std::int64_t axis) {
  require(count >= 0, "repeat: count {} is negative", count);
  const std::size_t chosen = at(normalize_axis(axis, x.rank(), "repeat"));
  Shape between = x.shape(), result = x.shape();
  between.insert(between.begin() + static_cast<std::ptrdiff_t>(chosen) + 1, count);
  result[chosen] = checked_multiply(result[chosen], count, "repeat");
  Axes kept;
  for (std::size_t i = 0; i < x.shape().size(); ++i)
    kept.push_back(static_cast<std::int64_t>(i <= chosen ? i : i + 1));
  return reshape(apply_op(ir::Broadcast{between, kept}, {x}), result);
}

Tensor pad(const Tensor& x, Shape before, Shape after, const Tensor& value) {
  require(static_cast<std::int64_t>(before.size()) == x.rank() && before.size() == after.size(),
          "pad: {} and {} amounts for rank {}", before.size(), after.size(), x.rank());
  require(value.rank() == 0, "pad: the value must be a scalar, got {}", value.type());
  Shape interior(before.size(), 0);
  return apply_op(ir::Pad{std::move(before), std::move(after), std::move(interior)},
                  {x, cast(value, x.dtype())});
}

Tensor flip(const Tensor& x, Axes axes) {
  if (axes.empty()) {
    axes.resize(x.shape().size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (std::int64_t& axis : axes) axis = normalize_axis(axis, x.rank(), "flip");
  std::ranges::sort(axes);
  return axes.empty() ? x : apply_op(ir::Reverse{std::move(axes)}, {x});
}

Tensor roll(const Tensor& x, std::int64_t shift, std::int64_t axis) {
  const std::int64_t extent = x.extent(normalize_axis(axis, x.rank(), "roll"));
  if (extent == 0) return x;
  const std::int64_t first = ((-shift) % extent + extent) % extent;
  if (first == 0) return x;
  return concatenate(std::array{slice(x, axis, first), slice(x, axis, 0, first)}, axis);
}

Tensor slice(const Tensor& x, std::int64_t axis, std::int64_t start,
             std::optional<std::int64_t> limit, std::int64_t step) {
  const std::size_t chosen = at(normalize_axis(axis, x.rank(), "slice"));
  const std::int64_t extent = x.shape()[chosen];
  require(step > 0, "slice: step {} is not above 0", step);
  const auto clamped = [&](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + extent : i, 0, extent);
  };
  ir::Slice op{Shape(x.shape().size(), 0), x.shape(), Shape(x.shape().size(), 1)};
  op.starts[chosen] = clamped(start);
  op.limits[chosen] = std::max(op.starts[chosen], limit ? clamped(*limit) : extent);
  op.strides[chosen] = step;
  if (op.starts[chosen] == 0 && op.limits[chosen] == extent && step == 1) return x;
  return apply_op(std::move(op), {x});
}

Tensor index(const Tensor& x, std::int64_t position, std::int64_t axis) {
  const std::int64_t chosen = normalize_axis(axis, x.rank(), "index");
  const std::int64_t extent = x.extent(chosen);
  require(position >= -extent && position < extent,
          "index: position {} is out of range for axis {} of {}", position, axis, x.type());
  const std::int64_t i = position < 0 ? position + extent : position;
  return squeeze(slice(x, chosen, i, i + 1), {chosen});
}

Tensor dynamic_slice(const Tensor& x, std::span<const Tensor> starts, Shape sizes) {
  std::vector<Tensor> operands{x};
  if (!starts.empty())
    for (const Tensor& start : promote_types(starts, "dynamic_slice")) operands.push_back(start);
  return apply_op(ir::DynamicSlice{std::move(sizes)}, operands);
}

Tensor dynamic_update_slice(const Tensor& x, const Tensor& update, std::span<const Tensor> starts) {
  std::vector<Tensor> operands{x, cast(update, x.dtype())};
  if (!starts.empty())
    for (const Tensor& s : promote_types(starts, "dynamic_update_slice")) operands.push_back(s);
  return apply_op(ir::DynamicUpdateSlice{}, operands);
}

Tensor full(Shape shape, double value, DType dtype) {
  auto trace = std::make_shared<Trace>();
  const ir::Value node = ir::splat(trace->builder, value, {dtype, std::move(shape)});
  return Tensor(std::move(trace), node);
}
Tensor zeros(Shape shape, DType dtype) { return full(std::move(shape), 0, dtype); }
Tensor ones(Shape shape, DType dtype) { return full(std::move(shape), 1, dtype); }
Tensor zeros_like(const Tensor& x) { return zeros(x.shape(), x.dtype()); }
Tensor ones_like(const Tensor& x) { return ones(x.shape(), x.dtype()); }
Tensor full_like(const Tensor& x, double value) { return full(x.shape(), value, x.dtype()); }

Tensor iota(Shape shape, std::int64_t axis, DType dtype) {
  const std::int64_t chosen = normalize_axis(axis, static_cast<std::int64_t>(shape.size()), "iota");
  return apply_op(ir::Iota{{dtype, std::move(shape)}, chosen}, {});
}

Tensor arange(double start, double stop, double step, DType dtype) {
  require(std::isfinite(start) && std::isfinite(stop) && step != 0 && std::isfinite(step),
          "arange: start, stop and step must be finite and step not 0, got {}, {}, {}", start, stop,
          step);
  const double count = std::max(0.0, std::ceil((stop - start) / step));
  require(count < 9e15, "arange: {} elements are too many", count);
  const Tensor positions = iota({static_cast<std::int64_t>(count)}, 0, DType::f64);
  return cast(start + step * positions, dtype);
}

Tensor linspace(double start, double stop, std::int64_t count, DType dtype) {
  require(count >= 0, "linspace: count {} is negative", count);
  require(std::isfinite(start) && std::isfinite(stop), "linspace: {} and {} must be finite", start,
          stop);
  const Tensor positions = iota({count}, 0, DType::f64);
  const double step = count > 1 ? (stop - start) / static_cast<double>(count - 1) : 0;
  // The last value is exactly `stop`.
  const Tensor last = equal(positions, static_cast<double>(std::max<std::int64_t>(count - 1, 1)));
  return cast(where(last, Tensor(stop), start + step * positions), dtype);
}

Tensor eye(std::int64_t rows, std::optional<std::int64_t> columns, DType dtype) {
  const Shape shape{rows, columns.value_or(rows)};
  return cast(equal(iota(shape, 0), iota(shape, 1)), dtype);
}

Tensor tril(const Tensor& x, std::int64_t k) {
  require(x.rank() >= 2, "tril: needs rank 2 or more, got {}", x.type());
  return where(iota(x.shape(), -2, DType::i64) + k >= iota(x.shape(), -1, DType::i64), x,
               zeros_like(x));
}
Tensor triu(const Tensor& x, std::int64_t k) {
  require(x.rank() >= 2, "triu: needs rank 2 or more, got {}", x.type());
  return where(iota(x.shape(), -2, DType::i64) + k <= iota(x.shape(), -1, DType::i64), x,
               zeros_like(x));
}

Tensor diag(const Tensor& x) {
  require(x.rank() == 1 || x.rank() == 2, "diag: needs rank 1 or 2, got {}", x.type());
  if (x.rank() == 1) {
    const Shape shape{x.extent(0), x.extent(0)};
    return where(equal(iota(shape, 0), iota(shape, 1)), broadcast_to(x, shape),
                 zeros(shape, x.dtype()));
  }
  const std::int64_t n = std::min(x.extent(0), x.extent(1));
  const Tensor square = slice(slice(x, 0, 0, n), 1, 0, n);
  const Tensor on = equal(iota({n, n}, 0), iota({n, n}, 1));
  return sum(where(on, square, zeros_like(square)), {1});
}
Tensor trace(const Tensor& x) { return sum(diag(x)); }

}  // namespace tenon

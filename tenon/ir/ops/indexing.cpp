#include "tenon/ir/ops/indexing.h"

#include <array>

#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {
namespace {

// Where the axes of x, of indices and of the gathered elements meet; checks what both ops share.
struct IndexedAxes {
  Axes rest;       // axes of x that are neither batch nor indexed
  Shape gathered;  // shape of Gather's result and of Scatter's updates
};

IndexedAxes indexed_axes(std::string_view op, const Axes& axes, std::int64_t batch_axes,
                         OperandTypes types) {
  const TensorType &x = types[0], &indices = types[1];
  require(is_integer(indices.dtype), "{}: indices must be integers, got {} (operands {})", op,
          indices, list_of(types));
  require(!axes.empty(), "{}: names no axis of {}", op, x);
  require(batch_axes >= 0 && batch_axes < x.rank() && batch_axes < indices.rank(),
          "{}: {} batch axes are not below the ranks of {} and indices {}", op, batch_axes, x,
          indices);
  for (const std::int64_t axis : axes) {
    require_axis(op, axis, x);
    require(axis >= batch_axes, "{}: axis {} of {} is one of the {} batch axes", op, axis, x,
            batch_axes);
    require(std::ranges::count(axes, axis) == 1, "{}: axes {} of {} name an axis twice", op,
            tenon::to_string(axes), x);
  }
  for (std::int64_t axis = 0; axis < batch_axes; ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    require(x.shape[i] == indices.shape[i], "{}: batch axis {} differs: {} and indices {}", op,
            axis, x, indices);
  }
  require(indices.shape.back() == static_cast<std::int64_t>(axes.size()),
          "{}: the last axis of indices {} must hold one index for each of the axes {} of {}", op,
          indices, tenon::to_string(axes), x);

  IndexedAxes result;
  Axes bound = axes;
  for (std::int64_t axis = 0; axis < batch_axes; ++axis) bound.push_back(axis);
  result.rest = other_axes(bound, x.rank());
  result.gathered.assign(indices.shape.begin(), indices.shape.end() - 1);
  for (const std::int64_t extent : extents_of(x.shape, result.rest))
    result.gathered.push_back(extent);
  return result;
}

// Every index as i64; u64 values that do not fit saturate.
std::vector<std::int64_t> index_values(const HostTensor& indices) {
  return with_element_type(indices.dtype(), [&]<class T>(TypeTag<T>) {
    std::vector<std::int64_t> values;
    for (const T value : indices.as<T>()) {
      const auto whole = convert_element<std::int64_t>(value);
      const bool overflows = is_unsigned(*kDTypeOf<T>) && whole < 0;
      values.push_back(overflows ? std::numeric_limits<std::int64_t>::max() : whole);
    }
    return values;
  });
}

// Calls visit(position in the gathered elements, position in x) in row-major order of the former.
// Indices clamp; or, with drop, those out of range are left out.
template <class Visit>
void for_each_indexed(const Axes& axes, std::int64_t batch_axes, const HostTensor& x,
                      const HostTensor& indices, bool drop, Visit&& visit) {
  const IndexedAxes shared =
      indexed_axes("gather", axes, batch_axes, std::array{x.type(), indices.type()});
  const Shape strides = extents_of(row_major_strides(x.shape()), axes);
  const Shape extents = extents_of(x.shape(), axes);
  Axes leading;
  for (std::int64_t axis = 0; axis < batch_axes; ++axis) leading.push_back(axis);
  const auto batches = offsets_along(x.shape(), leading);
  const auto rest = offsets_along(x.shape(), shared.rest);
  const auto values = index_values(indices);
  if (rest.empty() || values.empty()) return;
  const std::size_t rows_per_batch = values.size() / axes.size() / batches.size();
  for (std::size_t row = 0; row * axes.size() < values.size(); ++row) {
    std::int64_t first = batches[row / rows_per_batch];
    bool inside = true;
    for (std::size_t c = 0; c < axes.size(); ++c) {
      const std::int64_t value = values[row * axes.size() + c];
      const std::int64_t clamped = std::max<std::int64_t>(0, std::min(value, extents[c] - 1));
      inside = inside && value >= 0 && value < extents[c];
      first += clamped * strides[c];
    }
    if (drop && !inside) continue;
    for (std::size_t r = 0; r < rest.size(); ++r)
      visit(row * rest.size() + r, static_cast<std::size_t>(first + rest[r]));
  }
}

}  // namespace

TensorTypes infer_types(const Gather& op, OperandTypes types) {
  require_operands(op.kName, types, 2);
  const IndexedAxes shared = indexed_axes(op.kName, op.axes, op.batch_axes, types);
  const TensorType result = checked_result(op.kName, {types[0].dtype, shared.gathered});
  for (const std::int64_t axis : op.axes)
    require(types[0].shape[static_cast<std::size_t>(axis)] > 0 || element_count(result.shape) == 0,
            "gather: axis {} of {} is empty, there is nothing for indices {} to read", axis,
            types[0], types[1]);
  return {result};
}

HostTensors evaluate(const Gather& op, OperandValues values) {
  const HostTensor &x = *values[0], &indices = *values[1];
  HostTensor result(infer_types(op, std::array{x.type(), indices.type()})[0]);
  for_each_indexed(
      op.axes, op.batch_axes, x, indices, false, [&](std::size_t to, std::size_t from) {
        copy_element(result, static_cast<std::int64_t>(to), x, static_cast<std::int64_t>(from));
      });
  return one_result(std::move(result));
}

TensorTypes infer_types(const Scatter& op, OperandTypes types) {
  require_operands(op.kName, types, 3);
  const IndexedAxes shared = indexed_axes(op.kName, op.axes, op.batch_axes, types);
  const TensorType expected = checked_result(op.kName, {types[0].dtype, shared.gathered});
  require(types[2] == expected, "scatter: {} with indices {} takes updates {}, got {}", types[0],
          types[1], expected, types[2]);
  require(op.kind == ScatterKind::set || !is_boolean(types[0].dtype),
          "scatter: {} takes numbers, got {}",
          enum_names(op.kind)[static_cast<std::size_t>(op.kind)], types[0]);
  return {types[0]};
}

namespace {

// One element with one update: each step rounds or wraps in the element type.
template <Element T>
T combined(ScatterKind kind, T x, T update) {
  switch (kind) {
    case ScatterKind::set: return update;
    case ScatterKind::min: return extreme_of(true, x, update);
    case ScatterKind::max: return extreme_of(false, x, update);
    case ScatterKind::add:
    case ScatterKind::multiply: break;
  }
  if constexpr (is_float(*kDTypeOf<T>)) {
    const auto a = comparable(x), b = comparable(update);
    return convert_element<T>(kind == ScatterKind::add ? a + b : a * b);
  } else {
    const auto a = widen(x), b = widen(update);
    return convert_element<T>(kind == ScatterKind::add ? a + b : a * b);
  }
}

}  // namespace

HostTensors evaluate(const Scatter& op, OperandValues values) {
  const DType dtype = values[0]->dtype();
  if (is_narrow_float(dtype) && (op.kind == ScatterKind::add || op.kind == ScatterKind::multiply)) {
    const HostTensor x = converted(*values[0], DType::f32);
    const HostTensor wide_updates = converted(*values[2], DType::f32);
    const std::array operands = {&x, values[1], &wide_updates};
    return one_result(converted(evaluate(op, operands)[0], dtype));
  }
  const HostTensor &indices = *values[1], &updates = *values[2];
  HostTensor result = *values[0];
  with_element_type(result.dtype(), [&]<class T>(TypeTag<T>) {
    const auto from = updates.as<T>();
    const auto to = result.as<T>();
    for_each_indexed(op.axes, op.batch_axes, *values[0], indices, true,
                     [&](std::size_t update, std::size_t place) {
                       to[place] = combined(op.kind, to[place], from[update]);
                     });
  });
  return one_result(std::move(result));
}

}  // namespace tenon::ir

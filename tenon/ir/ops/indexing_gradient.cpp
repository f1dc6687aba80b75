#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {
namespace {

// The last valid index for each component of the index vectors, as far as the index type reaches;
// shaped as indices.
Value last_indices(Builder& b, Value x, const Axes& axes, const TensorType& indices) {
  const std::size_t bits = 8 * size_of(indices.dtype) - (is_signed(indices.dtype) ? 1 : 0);
  const std::int64_t largest =
      bits < 63 ? (std::int64_t{1} << bits) - 1 : std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> last;
  for (const std::int64_t extent : extents_of(b.type(x).shape, axes))
    last.push_back(std::clamp<std::int64_t>(extent - 1, 0, largest));
  const HostTensor limits =
      make_tensor<std::int64_t>({indices.shape.back()}, std::span<const std::int64_t>(last));
  return broadcast(b, constant(b, converted(limits, indices.dtype)), indices.shape,
                   {indices.rank() - 1});
}

Value clamped_indices(Builder& b, Value x, const Axes& axes, Value indices) {
  const Value last = last_indices(b, x, axes, b.type(indices));
  return minimum(b, maximum(b, indices, zeros_like(b, indices)), last);
}

// A value per index vector, [B..., I...], repeated over the rest of the updates' axes.
Value over_updates(Builder& b, Value per_row, const Shape& updates) {
  Axes leading;
  for (std::int64_t axis = 0; axis < b.type(per_row).rank(); ++axis) leading.push_back(axis);
  return broadcast(b, per_row, updates, std::move(leading));
}

// Everything the gradients of one Scatter share.
struct ScatterParts {
  const Scatter& op;
  Builder& b;
  Value x, indices, updates, upstream;

  TensorType type() const { return b.type(updates); }
  Value gather(Value from) const { return b.add(Gather{op.axes, op.batch_axes}, {from, indices}); }
  Value scatter(ScatterKind kind, Value onto, Value what) const {
    return b.add(Scatter{kind, op.axes, op.batch_axes}, {onto, indices, what});
  }

  // Which updates were written rather than dropped, shaped as the updates.
  Value written() const {
    const TensorType index_type = b.type(indices);
    const Value last = last_indices(b, x, op.axes, index_type);
    const Value inside =
        elementwise(b, ScalarFunction::logical_and,
                    {compare(b, ScalarFunction::greater_equal, indices, zeros_like(b, indices)),
                     compare(b, ScalarFunction::less_equal, indices, last)});
    const Value row_inside = reduce(b, ReduceKind::all, inside, {index_type.rank() - 1});
    return over_updates(b, row_inside, type().shape);
  }
  Value where(Value mask, Value value) const {
    return select(b, mask, value, splat(b, 0, b.type(value)));
  }
};

// Only the last update at a place is seen: scatter the updates' numbers and see which remain.
Gradients set_gradients(const ScatterParts& parts) {
  Builder& b = parts.b;
  const Shape updates = parts.type().shape;
  Shape rows = b.type(parts.indices).shape;
  rows.pop_back();
  const std::int64_t count = element_count(rows);
  const DType number = count <= std::numeric_limits<std::int32_t>::max() ? DType::i32 : DType::i64;
  const Value order = reshape(b, b.add(Iota{{number, {count}}, 0}), rows);
  const Value numbers = over_updates(b, order, updates);
  const Value unset = splat(b, -1, {number, b.type(parts.x).shape});
  const Value winners = parts.gather(parts.scatter(ScatterKind::set, unset, numbers));
  const Value last = compare(b, ScalarFunction::equal, winners, numbers);
  const Value seen = elementwise(b, ScalarFunction::logical_and, {last, parts.written()});
  const Value zeros = splat(b, 0, parts.type());
  return {parts.scatter(ScatterKind::set, parts.upstream, zeros), std::nullopt,
          parts.where(seen, parts.gather(parts.upstream))};
}

// Elements equal to the result share the upstream evenly.
Gradients extreme_gradients(const ScatterParts& parts, Value result) {
  Builder& b = parts.b;
  const DType dtype = parts.type().dtype;
  const Value x_chosen = compare(b, ScalarFunction::equal, parts.x, result);
  const Value equal = compare(b, ScalarFunction::equal, parts.updates, parts.gather(result));
  const Value update_chosen = elementwise(b, ScalarFunction::logical_and, {equal, parts.written()});
  const Value count =
      parts.scatter(ScatterKind::add, cast(b, x_chosen, dtype), cast(b, update_chosen, dtype));
  const Value share = divide(b, parts.upstream, count);
  return {parts.where(x_chosen, share), std::nullopt,
          parts.where(update_chosen, parts.gather(share))};
}

// For each update the product of the others at the same place, exact with zeros. Compares all pairs
// of index vectors of a batch element: N^2 times the size of one update.
Value product_of_duplicates(const ScatterParts& parts) {
  Builder& b = parts.b;
  const TensorType indices = b.type(parts.indices), updates = parts.type();
  const Shape batch_shape(indices.shape.begin(), indices.shape.begin() + parts.op.batch_axes);
  const std::int64_t batches = element_count(batch_shape);
  const std::int64_t parts_per_index = indices.shape.back();
  const std::int64_t n =
      element_count({indices.shape.begin() + parts.op.batch_axes, indices.shape.end() - 1});
  const std::int64_t width =
      element_count({updates.shape.begin() + indices.rank() - 1, updates.shape.end()});

  const Value vectors = reshape(b, parts.indices, {batches, n, parts_per_index});
  const Shape pairs{batches, n, n, parts_per_index};
  const Value equal = compare(b, ScalarFunction::equal, broadcast(b, vectors, pairs, {0, 1, 3}),
                              broadcast(b, vectors, pairs, {0, 2, 3}));
  const Value same_place = reduce(b, ReduceKind::all, equal, {3});
  const TensorType number{DType::i64, {batches, n, n}};
  const Value different =
      compare(b, ScalarFunction::not_equal, b.add(Iota{number, 1}), b.add(Iota{number, 2}));
  const Value other = elementwise(b, ScalarFunction::logical_and, {same_place, different});

  const Shape table{batches, n, n, width};
  const Value flat = reshape(b, parts.updates, {batches, n, width});
  const Value candidates = broadcast(b, flat, table, {0, 2, 3});
  const Value factors = select(b, broadcast(b, other, table, {0, 1, 2}), candidates,
                               splat(b, 1, {updates.dtype, table}));
  return reshape(b, reduce(b, ReduceKind::product, factors, {2}), updates.shape);
}

Gradients multiply_gradients(const ScatterParts& parts) {
  Builder& b = parts.b;
  const Value ones = splat(b, 1, b.type(parts.x));
  const Value factor = parts.scatter(ScatterKind::multiply, ones, parts.updates);
  const Value through_x = parts.gather(multiply(b, parts.upstream, parts.x));
  return {multiply(b, parts.upstream, factor), std::nullopt,
          parts.where(parts.written(), multiply(b, through_x, product_of_duplicates(parts)))};
}

}  // namespace

Gradients gradient(const Gather& op, const GradientInputs& in) {
  Builder& b = in.builder;
  const Value x = in.operands[0];
  if (!in.upstream[0] || !is_float(b.type(x).dtype)) return no_gradients(in);
  // Scatter drops what gather clamps.
  const Value indices = clamped_indices(b, x, op.axes, in.operands[1]);
  const Scatter back{ScatterKind::add, op.axes, op.batch_axes};
  return {b.add(back, {zeros_like(b, x), indices, *in.upstream[0]}), std::nullopt};
}

Gradients gradient(const Scatter& op, const GradientInputs& in) {
  Builder& b = in.builder;
  if (!in.upstream[0] || !is_float(b.type(in.operands[0]).dtype)) return no_gradients(in);
  const ScatterParts parts{op, b, in.operands[0], in.operands[1], in.operands[2], *in.upstream[0]};
  const bool nothing_written =
      element_count(b.type(parts.x).shape) == 0 || element_count(parts.type().shape) == 0;
  if (nothing_written) return {parts.upstream, std::nullopt, zeros_like(b, parts.updates)};
  switch (op.kind) {
    case ScatterKind::set: return set_gradients(parts);
    case ScatterKind::add:
      return {parts.upstream, std::nullopt,
              parts.where(parts.written(), parts.gather(parts.upstream))};
    case ScatterKind::multiply: return multiply_gradients(parts);
    case ScatterKind::min:
    case ScatterKind::max: break;
  }
  return extreme_gradients(parts, in.results[0]);
}

}  // namespace tenon::ir

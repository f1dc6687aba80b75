#include "tenon/ir/ops/combine.h"

#include "tenon/ir/build.h"

namespace tenon::ir {

std::string_view name(ReduceKind kind) { return enum_names(kind)[static_cast<std::size_t>(kind)]; }

void require_reducible(std::string_view op, ReduceKind kind, const TensorType& type) {
  const bool logical = kind == ReduceKind::all || kind == ReduceKind::any;
  require(logical == is_boolean(type.dtype), "{}: {} takes {}, got {}", op, name(kind),
          logical ? "bool" : "numbers", type);
}

void require_accumulation(std::string_view op, ReduceKind kind, DType accumulate,
                          const TensorType& type) {
  const bool wide = kind == ReduceKind::sum || kind == ReduceKind::product;
  if (wide && is_float(type.dtype))
    require(is_float(accumulate) && common_float(accumulate, type.dtype) == accumulate,
            "{}: {} of {} cannot accumulate in {}; use {} or a wider float", op, name(kind), type,
            accumulate, type.dtype);
  else
    require(accumulate == type.dtype, "{}: {} of {} accumulates in {}, not {}", op, name(kind),
            type, type.dtype, accumulate);
}

std::vector<std::int64_t> offsets_along(const Shape& shape, std::span<const std::int64_t> axes) {
  const Shape extents = extents_of(shape, axes);
  const Shape strides = extents_of(row_major_strides(shape), axes);
  std::vector<std::int64_t> offsets;
  for_each_index(extents,
                 [&](const Shape& index) { offsets.push_back(flat_offset(index, strides)); });
  return offsets;
}

Value to_rows(Builder& b, Value x, const Axes& axes) {
  const Shape shape = b.type(x).shape;
  Axes permutation = other_axes(axes, b.type(x).rank());
  const Shape rows = extents_of(shape, permutation);
  permutation.insert(permutation.end(), axes.begin(), axes.end());
  return reshape(b, transpose(b, x, std::move(permutation)),
                 {element_count(rows), element_count(extents_of(shape, axes))});
}

Value from_rows(Builder& b, Value rows, const Shape& shape, const Axes& axes) {
  Axes order = other_axes(axes, static_cast<std::int64_t>(shape.size()));
  order.insert(order.end(), axes.begin(), axes.end());
  Axes inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return transpose(b, reshape(b, rows, extents_of(shape, order)), std::move(inverse));
}

Value shifted(Builder& b, Value x, std::int64_t axis, std::int64_t distance, double fill) {
  const TensorType type = b.type(x);
  const Shape none(type.shape.size());
  Pad pad{none, none, none};
  pad.low[static_cast<std::size_t>(axis)] = distance;
  pad.high[static_cast<std::size_t>(axis)] = -distance;
  return b.add(std::move(pad), {x, splat(b, fill, {type.dtype, {}})});
}

void require_product_types(std::string_view op, OperandTypes types, DType result) {
  require_operands(op, types, 2);
  require_same_dtype(op, types);
  require(!is_boolean(types[0].dtype), "{}: takes numbers, got {}", op, list_of(types));
  require(is_float(types[0].dtype) ? is_float(result) : is_integer(result),
          "{}: operands {} cannot give a result of {}; use {}", op, list_of(types), result,
          is_float(types[0].dtype) ? "a float type" : "an integer type");
}

DType common_float(DType a, DType b) {
  if (a == b) return a;
  if (size_of(a) == size_of(b)) return DType::f32;  // f16 with bf16: neither holds the other
  return size_of(a) > size_of(b) ? a : b;
}

}  // namespace tenon::ir

#include "tenon/ir/ops/movement.h"

#include <algorithm>

#include "tenon/ir/build.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {
namespace {

// Beyond this, padding amounts could overflow when they are negated or added.
constexpr std::int64_t kLargestPadding = std::int64_t{1} << 60;

Axes inverse_permutation(const Axes& permutation) {
  Axes inverse(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i)
    inverse[static_cast<std::size_t>(permutation[i])] = static_cast<std::int64_t>(i);
  return inverse;
}

// Extent of n elements with `interior` others between neighbours.
std::int64_t dilated_extent(std::int64_t n, std::int64_t interior) {
  return n == 0 ? 0 : checked_add(checked_multiply(n - 1, interior, "pad"), n, "pad");
}

Value scalar_zero(Builder& b, DType dtype) { return splat(b, 0, {dtype, {}}); }

}  // namespace

TensorTypes infer_types(const Broadcast& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  require_length(op.kName, "axes", op.axes.size(), types[0]);
  const TensorType result = checked_result(op.kName, {types[0].dtype, op.shape});
  for (const std::int64_t axis : op.axes)
    require(axis >= 0 && axis < result.rank(),
            "{}: axis {} is out of range for the result {} of operand {}", op.kName, axis, result,
            types[0]);
  require(std::ranges::adjacent_find(op.axes, std::greater_equal<>{}) == op.axes.end(),
          "{}: axes {} must be strictly increasing (operand {}, result {})", op.kName,
          tenon::to_string(op.axes), types[0], result);
  require(extents_of(op.shape, op.axes) == types[0].shape,
          "{}: operand {} does not fit axes {} of the result {}", op.kName, types[0],
          tenon::to_string(op.axes), result);
  return {result};
}

HostTensors evaluate(const Broadcast& op, OperandValues values) {
  HostTensor result({values[0]->dtype(), op.shape});
  const Shape strides = row_major_strides(values[0]->shape());
  std::int64_t position = 0;
  for_each_index(op.shape, [&](const Shape& index) {
    copy_element(result, position++, *values[0], flat_offset(extents_of(index, op.axes), strides));
  });
  return one_result(std::move(result));
}

Gradients gradient(const Broadcast& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  const Axes added = other_axes(op.axes, static_cast<std::int64_t>(op.shape.size()));
  return {reduce_sum(in.builder, *in.upstream[0], added)};
}

TensorTypes infer_types(const Reshape& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  const TensorType result = checked_result(op.kName, {types[0].dtype, op.shape});
  const std::int64_t given = element_count(types[0].shape);
  const std::int64_t wanted = element_count(op.shape);
  require(given == wanted, "{}: {} has {} elements, but the result {} has {}", op.kName, types[0],
          given, result, wanted);
  return {result};
}

HostTensors evaluate(const Reshape& op, OperandValues values) {
  return one_result(values[0]->reshaped(op.shape));
}

Gradients gradient(const Reshape&, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  return {reshape(in.builder, *in.upstream[0], in.builder.type(in.operands[0]).shape)};
}

TensorTypes infer_types(const Transpose& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  require_length(op.kName, "permutation", op.permutation.size(), types[0]);
  Axes sorted = op.permutation;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i)
    require(sorted[i] == static_cast<std::int64_t>(i),
            "{}: {} is not a permutation of the axes of {}", op.kName,
            tenon::to_string(op.permutation), types[0]);
  return {{types[0].dtype, extents_of(types[0].shape, op.permutation)}};
}

HostTensors evaluate(const Transpose& op, OperandValues values) {
  const Shape& shape = values[0]->shape();
  HostTensor result({values[0]->dtype(), extents_of(shape, op.permutation)});
  const Shape strides = extents_of(row_major_strides(shape), op.permutation);
  std::int64_t position = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    copy_element(result, position++, *values[0], flat_offset(index, strides));
  });
  return one_result(std::move(result));
}

Gradients gradient(const Transpose& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  return {transpose(in.builder, *in.upstream[0], inverse_permutation(op.permutation))};
}

TensorTypes infer_types(const Reverse& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  require_sorted_axes(op.kName, op.axes, types[0]);
  return {types[0]};
}

HostTensors evaluate(const Reverse& op, OperandValues values) {
  HostTensor result(values[0]->type());
  const Shape strides = row_major_strides(result.shape());
  std::int64_t position = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    Shape from = index;
    for (const std::int64_t axis : op.axes) {
      const auto a = static_cast<std::size_t>(axis);
      from[a] = result.shape()[a] - 1 - index[a];
    }
    copy_element(result, position++, *values[0], flat_offset(from, strides));
  });
  return one_result(std::move(result));
}

Gradients gradient(const Reverse& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  return {in.builder.add(op, {*in.upstream[0]})};
}

TensorTypes infer_types(const Slice& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  require_length(op.kName, "starts", op.starts.size(), types[0]);
  require_length(op.kName, "limits", op.limits.size(), types[0]);
  require_length(op.kName, "strides", op.strides.size(), types[0]);
  TensorType result{types[0].dtype, {}};
  for (std::size_t i = 0; i < op.starts.size(); ++i) {
    const std::int64_t start = op.starts[i], limit = op.limits[i], stride = op.strides[i];
    require(0 <= start && start <= limit && limit <= types[0].shape[i] && stride >= 1,
            "{}: axis {}: start {}, limit {}, stride {} do not fit {}; expected 0 <= start <= "
            "limit <= extent and stride >= 1",
            op.kName, i, start, limit, stride, types[0]);
    const std::int64_t span = limit - start;
    result.shape.push_back(span / stride + (span % stride != 0));
  }
  return {result};
}

HostTensors evaluate(const Slice& op, OperandValues values) {
  HostTensor result = HostTensor(infer_types(op, std::array{values[0]->type()})[0]);
  const Shape strides = row_major_strides(values[0]->shape());
  std::int64_t position = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    Shape from = index;
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = op.starts[i] + index[i] * op.strides[i];
    copy_element(result, position++, *values[0], flat_offset(from, strides));
  });
  return one_result(std::move(result));
}

Gradients gradient(const Slice& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  Builder& b = in.builder;
  const TensorType operand = b.type(in.operands[0]);
  const TensorType result = b.type(in.results[0]);
  Pad pad{op.starts, {}, {}};
  for (std::size_t i = 0; i < result.shape.size(); ++i) {
    const std::int64_t n = result.shape[i];
    pad.interior.push_back(n > 1 ? op.strides[i] - 1 : 0);
    pad.high.push_back(operand.shape[i] - op.starts[i] - dilated_extent(n, pad.interior[i]));
  }
  return {b.add(pad, {*in.upstream[0], scalar_zero(b, operand.dtype)})};
}

TensorTypes infer_types(const Pad& op, OperandTypes types) {
  require_operands(op.kName, types, 2);
  require_same_dtype(op.kName, types);
  require(types[1].shape.empty(), "{}: expected a scalar to pad with, got {}", op.kName,
          list_of(types));
  require_length(op.kName, "low", op.low.size(), types[0]);
  require_length(op.kName, "high", op.high.size(), types[0]);
  require_length(op.kName, "interior", op.interior.size(), types[0]);
  TensorType result{types[0].dtype, {}};
  for (std::size_t i = 0; i < op.low.size(); ++i) {
    const std::int64_t low = op.low[i], high = op.high[i], interior = op.interior[i];
    require(interior >= 0, "{}: axis {}: interior {} is negative (operand {})", op.kName, i,
            interior, types[0]);
    require(std::max({low, high, interior}) <= kLargestPadding &&
                std::min(low, high) >= -kLargestPadding,
            "{}: axis {}: low {}, high {}, interior {} are too large (operand {})", op.kName, i,
            low, high, interior, types[0]);
    const std::int64_t dilated = dilated_extent(types[0].shape[i], interior);
    const std::int64_t extent = checked_add(checked_add(dilated, low, op.kName), high, op.kName);
    require(extent >= 0,
            "{}: axis {}: low {}, high {}, interior {} leave {} elements of {}; expected at least "
            "0",
            op.kName, i, low, high, interior, extent, types[0]);
    result.shape.push_back(extent);
  }
  return {checked_result(op.kName, result)};
}

HostTensors evaluate(const Pad& op, OperandValues values) {
  HostTensor result(infer_types(op, std::array{values[0]->type(), values[1]->type()})[0]);
  for (std::int64_t i = 0; i < result.size(); ++i) copy_element(result, i, *values[1], 0);
  const Shape strides = row_major_strides(result.shape());
  std::int64_t position = 0;
  for_each_index(values[0]->shape(), [&](const Shape& index) {
    Shape to = index;
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = op.low[i] + index[i] * (op.interior[i] + 1);
    if (in_bounds(to, result.shape()))
      copy_element(result, flat_offset(to, strides), *values[0], position);
    ++position;
  });
  return one_result(std::move(result));
}

Gradients gradient(const Pad& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  Builder& b = in.builder;
  const Value upstream = *in.upstream[0];
  const TensorType operand = b.type(in.operands[0]);

  // For the operand: undo low and high, then skip what lay between the elements.
  Pad crop{op.low, op.high, Shape(op.low.size())};
  for (std::int64_t& low : crop.low) low = -low;
  for (std::int64_t& high : crop.high) high = -high;
  const Value cropped = b.add(crop, {upstream, scalar_zero(b, operand.dtype)});
  Slice skip{Shape(op.low.size()), b.type(cropped).shape, op.interior};
  for (std::int64_t& stride : skip.strides) ++stride;

  // For the scalar: everything that is not the operand's.
  const Value inside = splat(b, 0, {DType::boolean, operand.shape});
  const Value outside = splat(b, 1, {DType::boolean, {}});
  const Value padding = b.add(op, {inside, outside});
  const Value kept = select(b, padding, upstream, zeros_like(b, upstream));
  return {b.add(skip, {cropped}), reduce_sum(b, kept, other_axes({}, operand.rank()))};
}

TensorTypes infer_types(const Concatenate& op, OperandTypes types) {
  require_operands_at_least(op.kName, types, 1);
  require_same_dtype(op.kName, types);
  require_axis(op.kName, op.axis, types[0]);
  const auto axis = static_cast<std::size_t>(op.axis);
  TensorType result = types[0];
  result.shape[axis] = 0;
  for (const TensorType& type : types) {
    bool fits = type.rank() == result.rank();
    for (std::size_t i = 0; fits && i < type.shape.size(); ++i)
      fits = i == axis || type.shape[i] == result.shape[i];
    require(fits, "{}: operands differ beyond axis {}: {}", op.kName, op.axis, list_of(types));
    result.shape[axis] = checked_add(result.shape[axis], type.shape[axis], op.kName);
  }
  return {checked_result(op.kName, result)};
}

HostTensors evaluate(const Concatenate& op, OperandValues values) {
  TensorTypes types;
  for (const HostTensor* value : values) types.push_back(value->type());
  HostTensor result(infer_types(op, types)[0]);
  const Shape strides = row_major_strides(result.shape());
  const auto axis = static_cast<std::size_t>(op.axis);
  std::int64_t start = 0;
  for (const HostTensor* value : values) {
    std::int64_t position = 0;
    for_each_index(value->shape(), [&](const Shape& index) {
      copy_element(result, flat_offset(index, strides) + start * strides[axis], *value, position++);
    });
    start += value->shape()[axis];
  }
  return one_result(std::move(result));
}

Gradients gradient(const Concatenate& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  Builder& b = in.builder;
  const auto axis = static_cast<std::size_t>(op.axis);
  const Shape whole = b.type(*in.upstream[0]).shape;
  Gradients gradients;
  std::int64_t start = 0;
  for (const Value operand : in.operands) {
    Slice part{Shape(whole.size()), whole, Shape(whole.size(), 1)};
    part.starts[axis] = start;
    start += b.type(operand).shape[axis];
    part.limits[axis] = start;
    gradients.push_back(b.add(part, {*in.upstream[0]}));
  }
  return gradients;
}

}  // namespace tenon::ir

#include "tenon/ir/ops/dynamic.h"

#include <algorithm>

#include "tenon/ir/build.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {
namespace {

// Starts are operands first, first + 1, ...: integer scalars of one type, one per axis of types[0].
void require_starts(std::string_view op, OperandTypes types, std::size_t first) {
  require(types.size() == first + types[0].shape.size(),
          "{}: expected {} starts, one per axis of {}, got {} ({})", op, types[0].rank(), types[0],
          types.size() - first, list_of(types));
  for (const TensorType& start : types.subspan(first))
    require(is_integer(start.dtype) && start.shape.empty() && start == types[first],
            "{}: expected integer scalars of one type as starts, got {}", op, list_of(types));
}

// The starts, clamped so that a slice of these sizes fits into the shape.
Shape clamped_starts(OperandValues starts, const Shape& shape, const Shape& sizes) {
  Shape clamped;
  for (std::size_t i = 0; i < shape.size(); ++i)
    clamped.push_back(std::clamp<std::int64_t>(integer_at(*starts[i], 0), 0, shape[i] - sizes[i]));
  return clamped;
}

// op over (values..., the starts among the original operands).
Value add_with_starts(Builder& b, Op op, std::vector<Value> values, std::span<const Value> starts) {
  values.insert(values.end(), starts.begin(), starts.end());
  return b.add(std::move(op), values);
}

}  // namespace

TensorTypes infer_types(const DynamicSlice& op, OperandTypes types) {
  require_operands_at_least(op.kName, types, 1);
  require_starts(op.kName, types, 1);
  require_length(op.kName, "sizes", op.sizes.size(), types[0]);
  for (std::size_t i = 0; i < op.sizes.size(); ++i)
    require(op.sizes[i] >= 0 && op.sizes[i] <= types[0].shape[i],
            "{}: axis {}: size {} does not fit {}; expected 0 <= size <= extent", op.kName, i,
            op.sizes[i], types[0]);
  return {{types[0].dtype, op.sizes}};
}

HostTensors evaluate(const DynamicSlice& op, OperandValues values) {
  const HostTensor& operand = *values[0];
  HostTensor result({operand.dtype(), op.sizes});
  const Shape strides = row_major_strides(operand.shape());
  const Shape starts = clamped_starts(values.subspan(1), operand.shape(), op.sizes);
  std::int64_t position = 0;
  for_each_index(op.sizes, [&](const Shape& index) {
    copy_element(result, position++, operand,
                 flat_offset(starts, strides) + flat_offset(index, strides));
  });
  return one_result(std::move(result));
}

Gradients gradient(const DynamicSlice&, const GradientInputs& in) {
  Gradients gradients = no_gradients(in);
  if (!in.upstream[0]) return gradients;
  Builder& b = in.builder;
  gradients[0] =
      add_with_starts(b, DynamicUpdateSlice{}, {zeros_like(b, in.operands[0]), *in.upstream[0]},
                      in.operands.subspan(1));
  return gradients;
}

TensorTypes infer_types(const DynamicUpdateSlice& op, OperandTypes types) {
  require_operands_at_least(op.kName, types, 2);
  require_starts(op.kName, types, 2);
  require_same_dtype(op.kName, types.first(2));
  bool fits = types[0].rank() == types[1].rank();
  for (std::size_t i = 0; fits && i < types[0].shape.size(); ++i)
    fits = types[1].shape[i] <= types[0].shape[i];
  require(fits, "{}: update {} does not fit into {}", op.kName, types[1], types[0]);
  return {types[0]};
}

HostTensors evaluate(const DynamicUpdateSlice&, OperandValues values) {
  HostTensor result = *values[0];
  const HostTensor& update = *values[1];
  const Shape strides = row_major_strides(result.shape());
  const Shape starts = clamped_starts(values.subspan(2), result.shape(), update.shape());
  std::int64_t position = 0;
  for_each_index(update.shape(), [&](const Shape& index) {
    copy_element(result, flat_offset(starts, strides) + flat_offset(index, strides), update,
                 position++);
  });
  return one_result(std::move(result));
}

Gradients gradient(const DynamicUpdateSlice& op, const GradientInputs& in) {
  Gradients gradients = no_gradients(in);
  if (!in.upstream[0]) return gradients;
  Builder& b = in.builder;
  const Value upstream = *in.upstream[0];
  const std::span<const Value> starts = in.operands.subspan(2);
  gradients[0] = add_with_starts(b, op, {upstream, zeros_like(b, in.operands[1])}, starts);
  gradients[1] = add_with_starts(b, DynamicSlice{b.type(in.operands[1]).shape}, {upstream}, starts);
  return gradients;
}

}  // namespace tenon::ir

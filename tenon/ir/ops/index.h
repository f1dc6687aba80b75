// Shared by the op families: checks that type rules repeat, and walking over multi-indices.
#pragma once
#include <cstring>

#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// Type-rule checks. All raise UserError starting with `op`, the op's name, and showing every
// operand type.

// "f32[2,3], f32[4]" as an argument of a message; text is made only if the message is.
inline auto list_of(OperandTypes types) { return fmt::join(types, ", "); }
// "add: expected 2 operands, got 1 (f32[2])"
void require_operands(std::string_view op, OperandTypes types, std::size_t count);
void require_operands_at_least(std::string_view op, OperandTypes types, std::size_t count);
// All operands have one element type.
void require_same_dtype(std::string_view op, OperandTypes types);
// All operands have one element type and one shape.
void require_same_type(std::string_view op, OperandTypes types);
// "transpose: permutation has 2 entries, but the operand f32[2,3,4] has rank 3".
void require_length(std::string_view op, std::string_view attribute, std::size_t length,
                    const TensorType& type);
// 0 <= axis < rank of `type`.
void require_axis(std::string_view op, std::int64_t axis, const TensorType& type);
// Each axis in range; strictly increasing.
void require_sorted_axes(std::string_view op, std::span<const std::int64_t> axes,
                         const TensorType& type);
// The type itself, if no extent is negative and its bytes fit in 63 bits.
TensorType checked_result(std::string_view op, TensorType type);

// Gradients of the right number with no entry set.
inline Gradients no_gradients(const GradientInputs& in) { return Gradients(in.operands.size()); }

// Position in row-major order, or with any strides.
inline std::int64_t flat_offset(std::span<const std::int64_t> index,
                                std::span<const std::int64_t> strides) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
  return offset;
}

// Steps to the next multi-index in row-major order; false after the last one.
inline bool advance(Shape& index, const Shape& shape) {
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (++index[axis] < shape[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

inline bool in_bounds(std::span<const std::int64_t> index, const Shape& shape) {
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (index[i] < 0 || index[i] >= shape[i]) return false;
  return true;
}

// Calls visit(index) for every multi-index in row-major order: once for a scalar, never if an
// extent is zero.
template <class Visit>
void for_each_index(const Shape& shape, Visit&& visit) {
  if (element_count(shape) == 0) return;
  Shape index(shape.size());
  do {
    visit(static_cast<const Shape&>(index));
  } while (advance(index, shape));
}

// Copies one element between tensors of one element type, by position in row-major order.
inline void copy_element(HostTensor& to, std::int64_t to_position, const HostTensor& from,
                         std::int64_t from_position) {
  const std::size_t size = size_of(to.dtype());
  std::memcpy(to.bytes().data() + static_cast<std::size_t>(to_position) * size,
              from.bytes().data() + static_cast<std::size_t>(from_position) * size, size);
}

// Element at a position of an integer tensor; u64 above the range of i64 saturates, so that
// clamping what comes back is right for every type.
std::int64_t integer_at(const HostTensor& tensor, std::int64_t position);

// The axes of `rank` that are not in the list, in order.
Axes other_axes(std::span<const std::int64_t> axes, std::int64_t rank);
// shape[axes[0]], shape[axes[1]], ...
Shape extents_of(const Shape& shape, std::span<const std::int64_t> axes);

// A vector holding the one tensor (initializer lists would copy it).
inline HostTensors one_result(HostTensor tensor) {
  HostTensors results;
  results.push_back(std::move(tensor));
  return results;
}

}  // namespace tenon::ir

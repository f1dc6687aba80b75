#include "tenon/ir/ops/index.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tenon::ir {

namespace {
[[noreturn]] void fail_operands(std::string_view op, OperandTypes types, std::string_view expected,
                                std::size_t count) {
  const std::string found =
      types.empty() ? "none" : fmt::format("{} ({})", types.size(), list_of(types));
  throw UserError(fmt::format("{}: expected {}{} operand{}, got {}", op, expected, count,
                              count == 1 ? "" : "s", found));
}
}  // namespace

void require_operands(std::string_view op, OperandTypes types, std::size_t count) {
  if (types.size() != count) fail_operands(op, types, "", count);
}

void require_operands_at_least(std::string_view op, OperandTypes types, std::size_t count) {
  if (types.size() < count) fail_operands(op, types, "at least ", count);
}

void require_same_dtype(std::string_view op, OperandTypes types) {
  for (const TensorType& type : types)
    require(type.dtype == types[0].dtype, "{}: operands have different element types: {}", op,
            list_of(types));
}

void require_same_type(std::string_view op, OperandTypes types) {
  require_same_dtype(op, types);
  for (const TensorType& type : types)
    require(type.shape == types[0].shape, "{}: operands have different shapes: {}", op,
            list_of(types));
}

void require_length(std::string_view op, std::string_view attribute, std::size_t length,
                    const TensorType& type) {
  require(length == type.shape.size(), "{}: {} has {} entr{}, but the operand {} has rank {}", op,
          attribute, length, length == 1 ? "y" : "ies", type, type.rank());
}

void require_axis(std::string_view op, std::int64_t axis, const TensorType& type) {
  require(axis >= 0 && axis < type.rank(), "{}: axis {} is out of range for {} of rank {}", op,
          axis, type, type.rank());
}

void require_sorted_axes(std::string_view op, std::span<const std::int64_t> axes,
                         const TensorType& type) {
  for (const std::int64_t axis : axes) require_axis(op, axis, type);
  require(std::ranges::adjacent_find(axes, std::greater_equal<>{}) == axes.end(),
          "{}: axes {} of {} must be strictly increasing", op,
          tenon::to_string(Axes(axes.begin(), axes.end())), type);
}

TensorType checked_result(std::string_view op, TensorType type) {
  std::int64_t bytes = static_cast<std::int64_t>(size_of(type.dtype));
  bool fits = true;
  for (const std::int64_t extent : type.shape) {
    require(extent >= 0, "{}: result {} has a negative extent", op, type);
    if (extent > 0) fits = fits && !__builtin_mul_overflow(bytes, extent, &bytes);
  }
  require(fits, "{}: result {} is too large: its bytes do not fit in 63 bits", op, type);
  return type;
}

std::int64_t integer_at(const HostTensor& tensor, std::int64_t position) {
  check(is_integer(tensor.dtype()), "integer_at: {} does not hold integers", tensor.type());
  return with_element_type(tensor.dtype(), [&]<class T>(TypeTag<T>) -> std::int64_t {
    const T value = tensor.as<T>()[static_cast<std::size_t>(position)];
    if constexpr (std::is_integral_v<T>) {
      if (std::in_range<std::int64_t>(static_cast<std::common_type_t<T, int>>(value)))
        return static_cast<std::int64_t>(value);
    }
    return std::numeric_limits<std::int64_t>::max();
  });
}

Axes other_axes(std::span<const std::int64_t> axes, std::int64_t rank) {
  Axes others;
  for (std::int64_t axis = 0; axis < rank; ++axis)
    if (std::ranges::find(axes, axis) == axes.end()) others.push_back(axis);
  return others;
}

Shape extents_of(const Shape& shape, std::span<const std::int64_t> axes) {
  Shape extents;
  for (const std::int64_t axis : axes) extents.push_back(shape[static_cast<std::size_t>(axis)]);
  return extents;
}

}  // namespace tenon::ir

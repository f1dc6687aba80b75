#include "tenon/lower/elements.h"

namespace tenon::lower {

using kernel::ValueId;

Index clamped_index(Emitter& e, ValueId value, std::int64_t low, std::int64_t high) {
  DType dtype = e.type(value).dtype;
  if (dtype == DType::u64) {  // before it could wrap
    value = e.call(ScalarFunction::minimum, {value, e.constant(dtype, static_cast<double>(high))});
    value = e.builder().cast(value, DType::i64);
    dtype = DType::i64;
  }
  const bool is_narrow = dtype == DType::i32 && high <= std::numeric_limits<std::int32_t>::max();
  if (!is_narrow) {
    value = e.builder().cast(value, DType::i64);
    dtype = DType::i64;
  }
  value = e.call(ScalarFunction::maximum, {value, e.index_constant(dtype, low)});
  value = e.call(ScalarFunction::minimum, {value, e.index_constant(dtype, high)});
  return e.computed(value, {low, high});
}

ValueId element_of(const Site& site, const ir::DynamicSlice& op) {
  Emitter& e = site.emitter;
  const TensorType& x = site.operand_type(0);
  Position at = axes_position(x.shape);
  for (std::size_t i = 0; i < x.shape.size(); ++i) {
    const std::int64_t room = x.shape[i] - op.sizes[i];
    at.axes[i] = site.axis(i);
    if (room == 0) continue;
    const ValueId start = site.operand(1 + i, axes_position({}));
    at.axes[i] = e.add(*at.axes[i], clamped_index(e, start, 0, room));
  }
  return site.operand(0, at);
}

ValueId element_of(const Site& site, const ir::Gather& op) {
  Emitter& e = site.emitter;
  const TensorType& x = site.operand_type(0);
  const TensorType& indices = site.operand_type(1);
  const std::size_t index_rank = indices.shape.size() - 1;  // axes that name an index vector
  Position at = axes_position(x.shape);
  const auto batch_axes = static_cast<std::size_t>(op.batch_axes);
  std::size_t next = index_rank;
  for (std::size_t i = 0; i < x.shape.size(); ++i) {
    if (i < batch_axes) {
      at.axes[i] = site.axis(i);
    } else if (std::ranges::count(op.axes, static_cast<std::int64_t>(i)) == 0) {
      at.axes[i] = site.axis(next++);
    }
  }
  for (std::size_t c = 0; c < op.axes.size(); ++c) {
    const auto axis = static_cast<std::size_t>(op.axes[c]);
    Position place = axes_position(indices.shape);
    for (std::size_t i = 0; i < index_rank; ++i) place.axes[i] = site.axis(i);
    place.axes[index_rank] = e.constant_index(static_cast<std::int64_t>(c));
    at.axes[axis] = clamped_index(e, site.operand(1, place), 0, x.shape[axis] - 1);
  }
  return site.operand(0, at);
}

}  // namespace tenon::lower

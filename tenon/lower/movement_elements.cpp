#include "tenon/lower/elements.h"

namespace tenon::lower {

using kernel::ValueId;

Position axes_position(const Shape& shape) {
  Position position{shape, {}, {}};
  position.axes.resize(shape.size());
  return position;
}

ValueId element_of(const Site& site, const ir::Broadcast& op) {
  Position at = axes_position(site.operand_type(0).shape);
  for (std::size_t i = 0; i < op.axes.size(); ++i)
    at.axes[i] = at.shape[i] == 1 ? site.emitter.constant_index(0)
                                  : site.axis(static_cast<std::size_t>(op.axes[i]));
  return site.operand(0, at);
}

ValueId element_of(const Site& site, const ir::Reshape&) {
  Position at = axes_position(site.operand_type(0).shape);
  at.flat = site.flat();
  return site.operand(0, at);
}

ValueId element_of(const Site& site, const ir::Transpose& op) {
  Position at = axes_position(site.operand_type(0).shape);
  for (std::size_t i = 0; i < op.permutation.size(); ++i)
    at.axes[static_cast<std::size_t>(op.permutation[i])] = site.axis(i);
  return site.operand(0, at);
}

ValueId element_of(const Site& site, const ir::Reverse& op) {
  Emitter& e = site.emitter;
  Position at = axes_position(site.operand_type(0).shape);
  for (std::size_t i = 0; i < at.shape.size(); ++i) {
    const bool is_reversed = std::ranges::count(op.axes, static_cast<std::int64_t>(i)) > 0;
    at.axes[i] = site.axis(i);
    if (is_reversed)
      at.axes[i] = e.add(e.constant_index(at.shape[i] - 1), e.scale(*at.axes[i], -1));
  }
  return site.operand(0, at);
}

ValueId element_of(const Site& site, const ir::Slice& op) {
  Emitter& e = site.emitter;
  Position at = axes_position(site.operand_type(0).shape);
  for (std::size_t i = 0; i < at.shape.size(); ++i)
    at.axes[i] = e.add(e.scale(site.axis(i), op.strides[i]), e.constant_index(op.starts[i]));
  return site.operand(0, at);
}

namespace {

std::optional<ValueId> both(Emitter& e, std::optional<ValueId> a, std::optional<ValueId> b) {
  if (a && b) return e.call(ScalarFunction::logical_and, {*a, *b});
  return a ? a : b;
}

}  // namespace

ValueId element_of(const Site& site, const ir::Pad& op) {
  Emitter& e = site.emitter;
  const TensorType& x = site.operand_type(0);
  const ValueId padding = site.operand(1, axes_position({}));
  if (element_count(x.shape) == 0) return padding;
  Position at = axes_position(x.shape);
  std::optional<ValueId> is_inside;
  for (std::size_t i = 0; i < x.shape.size(); ++i) {
    const std::int64_t step = op.interior[i] + 1;
    const std::int64_t last = (x.shape[i] - 1) * step;
    const Index place = e.add(site.axis(i), e.constant_index(-op.low[i]));
    is_inside = both(e, is_inside, e.inside(place, 0, last));
    // Outside, any element will do: it is loaded and not used.
    const Index clamped = e.clamp(place, 0, last);
    if (step > 1) is_inside = both(e, is_inside, e.inside(e.modulo(clamped, step), 0, 0));
    at.axes[i] = e.divide(clamped, step);
  }
  const ValueId inner = site.operand(0, at);
  return is_inside ? e.builder().select(*is_inside, inner, padding) : inner;
}

ValueId element_of(const Site& site, const ir::Concatenate& op) {
  Emitter& e = site.emitter;
  const auto axis = static_cast<std::size_t>(op.axis);
  const Index index = site.axis(axis);
  std::vector<std::size_t> operands;
  std::vector<std::int64_t> starts;
  std::int64_t start = 0;
  for (std::size_t k = 0; k < site.node.operands.size(); ++k) {
    const std::int64_t extent = site.operand_type(k).shape[axis];
    if (extent > 0) {
      operands.push_back(k);
      starts.push_back(start);
    }
    start += extent;
  }
  std::optional<ValueId> result;
  for (std::size_t n = operands.size(); n-- > 0;) {
    const Shape& shape = site.operand_type(operands[n]).shape;
    Position at = axes_position(shape);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      at.axes[i] = site.axis(i);
      if (i == axis)
        at.axes[i] = e.clamp(e.add(index, e.constant_index(-starts[n])), 0, shape[i] - 1);
    }
    const ValueId piece = site.operand(operands[n], at);
    const auto is_here = e.inside(index, 0, starts[n] + shape[axis] - 1);
    result = result && is_here ? e.builder().select(*is_here, piece, *result) : piece;
  }
  return *result;
}

}  // namespace tenon::lower

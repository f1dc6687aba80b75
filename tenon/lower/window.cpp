#include "tenon/lower/window.h"

#include "tenon/base/error.h"
#include "tenon/lower/elements.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr std::int64_t kMostUnrolled = 16;

}  // namespace

Space window_space(const Shape& result, const Shape& offsets) {
  Space space = space_of(result, kKept);
  for (const SpaceAxis& axis : space_of(offsets, kReduced)) space.push_back(axis);
  return space;
}

std::vector<ValueId> for_each_offset(Emitter& emitter, std::span<const ValueId> carried,
                                     const WindowBody& body) {
  const Space& space = emitter.space();
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < space.size(); ++axis)
    if (space[axis].label == kReduced) axes.push_back(axis);
  std::int64_t count = 1;
  for (const std::size_t axis : axes) count *= space[axis].extent;
  const std::function<std::vector<ValueId>(std::size_t, std::span<const ValueId>)> step =
      [&](std::size_t level, std::span<const ValueId> values) -> std::vector<ValueId> {
    if (level == axes.size()) return body(values);
    const std::size_t axis = axes[level];
    if (count <= kMostUnrolled && emitter.options().unroll_windows) {
      // A small window is written out, so that what is carried need not be stored.
      std::vector<ValueId> next(values.begin(), values.end());
      for (std::int64_t i = 0; i < space[axis].extent; ++i)
        emitter.scoped([&] {
          emitter.bind({{axis}, space[axis].extent, kReduced},
                       emitter.index_constant(DType::i64, i));
          next = step(level + 1, next);
        });
      return next;
    }
    return emitter.loop(space[axis].extent, values, [&](ValueId i, std::span<const ValueId> inner) {
      emitter.bind({{axis}, space[axis].extent, kReduced}, i);
      return step(level + 1, inner);
    });
  };
  return step(0, carried);
}

Index offset_along(Emitter& emitter, const Shape& offsets, std::size_t axis) {
  if (offsets[axis] == 1) return emitter.constant_index(0);
  // Offsets are the last axes of the space and are never split.
  std::size_t from_end = 0;
  for (std::size_t i = axis; i < offsets.size(); ++i) from_end += offsets[i] != 1 ? 1 : 0;
  return {axis_affine(emitter.space(), emitter.space().size() - from_end), {}, {}};
}

WindowElement window_element(Emitter& emitter, const ir::Window& window, const Shape& operand,
                             const Shape& result) {
  const Position at = flat_position(result, kept_major(emitter.space()));
  WindowElement element{axes_position(operand), {}};
  for (std::size_t i = 0; i < operand.size(); ++i) {
    Index index = emitter.scale(emitter.along(at, i), window.strides[i]);
    index = emitter.add(index,
                        emitter.scale(offset_along(emitter, window.size, i), window.dilation[i]));
    index = emitter.add(index, emitter.constant_index(-window.low[i]));
    const auto holds = emitter.inside(index, 0, operand[i] - 1);
    if (holds && element.is_inside)
      element.is_inside = emitter.call(ScalarFunction::logical_and, {*element.is_inside, *holds});
    else if (holds)
      element.is_inside = holds;
    element.position.axes[i] = emitter.clamp(index, 0, operand[i] - 1);
  }
  return element;
}

void write_windows(RegionWriter& writer, std::string_view stage, const Shape& result,
                   const Shape& offsets, const std::function<void(Emitter&)>& write) {
  const Survey found = survey(writer.context(), window_space(result, offsets), [&](Emitter& trial) {
    // The loops over offsets bind their own axes.
    trial.note_form(kept_major(trial.space()), true);
    write(trial);
  });
  std::vector<AxisGroup> groups;
  for (const AxisGroup& group : merge_axes(found.space, affines(found.forms)))
    if (group.label == kKept) groups.push_back(group);
  const Tiling tiling = choose_tiling(writer.target(), found, groups);
  Emitter emitter(writer.context(), writer.kernel_name(stage), found.space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(),
             [&](std::span<const TilePlace>) { write(emitter); });
  writer.add(std::move(emitter).finish());
}

void lower_window_reduce(RegionWriter& writer, std::uint32_t node) {
  const ir::Node& source = writer.graph().node(node);
  const auto& op = std::get<ir::WindowReduce>(source.op);
  const Shape& operand = writer.type(source.operands[0]).shape;
  const TensorType& result = writer.type({node, 0});
  const bool is_empty = element_count(operand) == 0;
  const auto write = [&](Emitter& emitter) {
    const ValueId neutral = neutral_element(emitter, op.kind, op.accumulate);
    const auto body = [&](std::span<const ValueId> carried) {
      if (is_empty) return std::vector{carried[0]};
      const WindowElement at = window_element(emitter, op.window, operand, result.shape);
      ValueId x =
          emitter.builder().cast(emitter.value(source.operands[0], at.position), op.accumulate);
      if (at.is_inside) x = emitter.builder().select(*at.is_inside, x, neutral);
      return std::vector{emitter.call(combining_function(op.kind), {carried[0], x})};
    };
    const ValueId start = emitter.full_tile(neutral);
    const ValueId total = for_each_offset(emitter, std::array{start}, body)[0];
    emitter.store(emitter.buffer(writer.output_argument({node, 0}), result, true),
                  kept_major(emitter.space()), emitter.builder().cast(total, result.dtype));
  };
  write_windows(writer, "", result.shape, op.window.size, write);
}

}  // namespace tenon::lower

#include "tenon/base/error.h"
#include "tenon/lower/elements.h"
#include "tenon/lower/window.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

// Carries, for the first extreme element of each window so far: whether there is one, its value,
// and what `payload` says about it.
ValueId follow_extreme(Emitter& emitter, const ir::WindowSelect& op, ir::Value x,
                       const Shape& operand, const Shape& windows, ValueId payload_start,
                       const std::function<ValueId(const Position&)>& payload) {
  kernel::KernelBuilder& b = emitter.builder();
  const bool smallest = op.kind == ir::ReduceKind::min;
  const DType dtype = emitter.context().type(x).dtype;
  const auto body = [&](std::span<const ValueId> carried) {
    const WindowElement at = window_element(emitter, op.window, operand, windows);
    const ValueId candidate = emitter.value(x, at.position);
    const ValueId is_first = emitter.call(ScalarFunction::logical_not, {carried[0]});
    ValueId takes = emitter.call(ScalarFunction::logical_or,
                                 {is_first, replaces(emitter, smallest, candidate, carried[1])});
    if (at.is_inside) takes = emitter.call(ScalarFunction::logical_and, {takes, *at.is_inside});
    return std::vector{emitter.call(ScalarFunction::logical_or, {carried[0], takes}),
                       emitter.full_tile(b.select(takes, candidate, carried[1])),
                       emitter.full_tile(b.select(takes, payload(at.position), carried[2]))};
  };
  const std::array start{emitter.full_tile(emitter.constant(DType::boolean, 0)),
                         emitter.full_tile(emitter.constant(dtype, 0)),
                         emitter.full_tile(payload_start)};
  if (element_count(operand) == 0) return start[2];
  return for_each_offset(emitter, start, body)[2];
}

void gather_extremes(RegionWriter& writer, std::uint32_t node, const ir::WindowSelect& op) {
  const ir::Node& source = writer.graph().node(node);
  const Shape& operand = writer.type(source.operands[0]).shape;
  const TensorType& result = writer.type({node, 0});
  write_windows(writer, "", result.shape, op.window.size, [&](Emitter& emitter) {
    const ValueId chosen = follow_extreme(
        emitter, op, source.operands[0], operand, result.shape, emitter.constant(result.dtype, 0),
        [&](const Position& at) { return emitter.value(source.operands[1], at); });
    emitter.store(emitter.buffer(writer.output_argument({node, 0}), result, true),
                  kept_major(emitter.space()), chosen);
  });
}

// First where each window's extreme lies, then for each element the windows that chose it: both
// are independent for each result, and an element adds its windows in their order.
void scatter_to_extremes(RegionWriter& writer, std::uint32_t node, const ir::WindowSelect& op) {
  const ir::Node& source = writer.graph().node(node);
  const TensorType& result = writer.type({node, 0});
  const Shape& windows = writer.type(source.operands[1]).shape;
  const TensorType places{writer.context().index_type, windows};
  const Argument scratch = writer.new_scratch(byte_size(places));
  if (element_count(windows) > 0)
    write_windows(writer, "extremes", windows, op.window.size, [&](Emitter& emitter) {
      const ValueId chosen = follow_extreme(
          emitter, op, source.operands[0], result.shape, windows,
          emitter.constant(places.dtype, -1), [&](const Position& at) {
            return emitter.builder().cast(emitter.materialise(emitter.flat(at)), places.dtype);
          });
      emitter.store(emitter.buffer(scratch, places, true), kept_major(emitter.space()), chosen);
    });

  Shape candidates(windows.size());  // windows that can hold one element, along each axis
  for (std::size_t i = 0; i < windows.size(); ++i)
    candidates[i] = (op.window.size[i] - 1) * op.window.dilation[i] / op.window.strides[i] + 1;
  const DType accumulate = is_narrow_float(result.dtype) ? DType::f32 : result.dtype;
  write_windows(writer, "", result.shape, candidates, [&](Emitter& emitter) {
    kernel::KernelBuilder& b = emitter.builder();
    const Affine flat = kept_major(emitter.space());
    const ValueId here = b.cast(emitter.materialise({flat, {}, {}}), places.dtype);
    const auto body = [&](std::span<const ValueId> carried) {
      const Position at = flat_position(result.shape, flat);
      Position window = axes_position(windows);
      std::optional<ValueId> exists;
      for (std::size_t i = 0; i < windows.size(); ++i) {
        const Index reach =
            emitter.add(emitter.along(at, i), emitter.constant_index(op.window.low[i]));
        Index number = emitter.divide(reach, op.window.strides[i]);
        number = emitter.add(number, emitter.constant_index(1 - candidates[i]));
        number = emitter.add(number, offset_along(emitter, candidates, i));
        const auto holds = emitter.inside(number, 0, windows[i] - 1);
        if (holds && exists)
          exists = emitter.call(ScalarFunction::logical_and, {*exists, *holds});
        else if (holds)
          exists = holds;
        window.axes[i] = emitter.clamp(number, 0, windows[i] - 1);
      }
      const ValueId chosen = emitter.load(emitter.buffer(scratch, places), emitter.flat(window));
      ValueId takes = emitter.call(ScalarFunction::equal, {chosen, here});
      if (exists) takes = emitter.call(ScalarFunction::logical_and, {takes, *exists});
      const ValueId upstream = b.cast(emitter.value(source.operands[1], window), accumulate);
      const ValueId more = emitter.call(ScalarFunction::add, {carried[0], upstream});
      return std::vector{emitter.full_tile(b.select(takes, more, carried[0]))};
    };
    ValueId total = emitter.full_tile(emitter.constant(accumulate, 0));
    if (element_count(windows) > 0) total = for_each_offset(emitter, std::array{total}, body)[0];
    emitter.store(emitter.buffer(writer.output_argument({node, 0}), result, true), flat,
                  b.cast(total, result.dtype));
  });
}

}  // namespace

void lower_window_select(RegionWriter& writer, std::uint32_t node) {
  const auto& op = std::get<ir::WindowSelect>(writer.graph().node(node).op);
  switch (op.direction) {
    case ir::WindowDirection::gather: return gather_extremes(writer, node, op);
    case ir::WindowDirection::scatter: return scatter_to_extremes(writer, node, op);
  }
}

}  // namespace tenon::lower

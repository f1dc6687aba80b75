#include "tenon/base/error.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr std::int64_t kCumulativeLanes = 128;

Space line_space(const Shape& shape, std::int64_t axis) {
  Space space;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1)
      space.push_back({shape[i], static_cast<std::int64_t>(i) == axis ? kReduced : kKept});
  return space;
}

}  // namespace

// Lanes run along the other axes, and one loop steps along the axis.
void lower_cumulative(RegionWriter& writer, std::uint32_t node) {
  const ir::Node& source = writer.graph().node(node);
  const auto& op = std::get<ir::CumulativeReduce>(source.op);
  const TensorType& type = writer.type({node, 0});
  const Space space = line_space(type.shape, op.axis);
  const AxisGroup line = group_of(space, kReduced);
  Tiling tiling;
  for (const AxisGroup& group : merge_axes(space, std::array{row_major(space)}))
    if (group.label == kKept) tiling.push_back({group, 1, Along::none, false});
  if (!tiling.empty()) {
    tiling.back().along = Along::lanes;
    tiling.back().tile =
        tile_extent(tiling.back().group.extent, std::max(kCumulativeLanes, writer.target().team));
  }
  Emitter emitter(writer.context(), writer.kernel_name(""), space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
    const Affine flat = row_major(space);
    const kernel::BufferId to = emitter.buffer(writer.output_argument({node, 0}), type, true);
    const ValueId start = emitter.full_tile(neutral_element(emitter, op.kind, op.accumulate));
    const auto body = [&](ValueId i, std::span<const ValueId> carried) {
      ValueId place = i;
      if (op.reverse)
        place = emitter.call(ScalarFunction::subtract,
                             {emitter.index_constant(DType::i64, line.extent - 1), i});
      emitter.bind(line, place);
      const ValueId x =
          emitter.builder().cast(emitter.value_at(source.operands[0], flat), op.accumulate);
      const ValueId total = emitter.call(combining_function(op.kind), {carried[0], x});
      emitter.store(to, flat, emitter.builder().cast(total, type.dtype));
      return std::vector{total};
    };
    emitter.loop(line.extent, std::array{start}, body);
  });
  writer.add(std::move(emitter).finish());
}

}  // namespace tenon::lower

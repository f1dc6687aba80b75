#include <algorithm>

#include "tenon/base/error.h"
#include "tenon/lower/contraction.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr std::int64_t kFarRows = 2048;   // bytes between rows of rhs that spoil the cache
constexpr std::int64_t kShortDepth = 16;  // a panel so short is as well read where it lies

}  // namespace

bool is_rhs_lasting(const Contraction& problem) {
  return problem.rhs.memory.kind == Argument::Kind::input &&
         std::ranges::count(problem.writer.region().lasting, problem.rhs.memory.value) > 0;
}

bool should_pack(const Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows,
                 std::int64_t tile_lanes) {
  if (rows == nullptr || !problem.writer.options().pack_operands) return false;
  const std::int64_t step = *step_of(problem.rhs.place, lanes, problem.space);
  if (step != 1) return rows->extent >= 4;
  const auto element = static_cast<std::int64_t>(size_of(problem.rhs.type.dtype));
  const std::int64_t depth_step = problem.contracted.back().rhs;
  if (is_rhs_lasting(problem))
    return depth_step > tile_lanes && problem.contracted.back().extent >= kShortDepth;
  const bool is_ragged = lanes.extent % tile_lanes != 0;
  const bool is_far = depth_step * element >= kFarRows && problem.contracted.back().extent >= 32;
  return (is_ragged && rows->extent >= 16) || (is_far && rows->extent >= 64);
}

// Reading rows of panels along whichever of the two axes is contiguous keeps cache lines whole.
Panels pack_rhs(const Contraction& problem, const AxisGroup& lane_group, std::int64_t lanes,
                std::string_view purpose) {
  RegionWriter& writer = problem.writer;
  Panels panels;
  panels.lanes = lanes;
  const std::int64_t tiles = ceil_divide(lane_group.extent, lanes);
  // The contracted axes, dense, innermost last.
  panels.contracted = problem.contracted;
  std::int64_t stride = lanes;
  for (std::size_t i = panels.contracted.size(); i-- > 0;) {
    panels.contracted[i].rhs = stride;
    stride *= panels.contracted[i].extent;
  }
  panels.panel_size = stride;
  stride *= tiles;
  panels.outer = constant_affine(problem.space, 0);
  Tiling tiling;
  for (std::size_t g = problem.groups.size(); g-- > 0;) {
    const AxisGroup& group = problem.groups[g];
    if (&group == &lane_group || !depends_on(problem.rhs.place, group)) continue;
    tiling.insert(tiling.begin(), {group, 1, Along::none, false});
    std::int64_t inner = stride;
    for (std::size_t i = group.axes.size(); i-- > 0;) {
      panels.outer.coefficients[group.axes[i]] = inner;
      inner *= problem.space[group.axes[i]].extent;
    }
    stride = inner;
  }
  panels.operand.type = {problem.rhs.type.dtype, {stride}};
  panels.operand.memory = writer.new_scratch(byte_size(panels.operand.type));

  // One instance copies, for one place of the outer contracted axes, a stretch of the last one.
  const ContractedAxis& depth = problem.contracted.back();
  const std::int64_t rows = tile_extent(depth.extent, 64);
  AxisGroup lane_tiles = lane_group;
  tiling.push_back({lane_tiles, lanes, Along::lanes, false});
  std::int64_t outer_depth = 1;
  for (std::size_t i = 0; i + 1 < problem.contracted.size(); ++i)
    outer_depth *= problem.contracted[i].extent;
  const std::int64_t stretches = ceil_divide(depth.extent, rows);
  const std::int64_t per_tile = outer_depth * stretches;
  Emitter emitter(writer.context(), writer.kernel_name(purpose), problem.space,
                  tile_count(tiling) * per_tile);
  const kernel::BufferId from = emitter.buffer(problem.rhs.memory, problem.rhs.type);
  const kernel::BufferId to = emitter.buffer(panels.operand.memory, panels.operand.type, true);
  const ValueId instance = emitter.builder().instance();
  const auto constant = [&](std::int64_t value) {
    return emitter.index_constant(DType::i64, value);
  };
  const ValueId tile = emitter.call(ScalarFunction::divide, {instance, constant(per_tile)});
  const ValueId part = emitter.call(ScalarFunction::remainder, {instance, constant(per_tile)});
  write_tile(emitter, tiling, tile, [&](std::span<const TilePlace> places) {
    const auto source = emitter.place(problem.rhs.place);
    check(source.has_value(), "an operand to pack does not step evenly");
    ValueId source_offset = source->offset;
    ValueId offset =
        stepped(emitter, emitter.scalar(panels.outer), places.back().number, panels.panel_size);
    ValueId rest = part;
    const ValueId stretch = emitter.call(ScalarFunction::remainder, {rest, constant(stretches)});
    rest = emitter.call(ScalarFunction::divide, {rest, constant(stretches)});
    for (std::size_t i = problem.contracted.size() - 1; i-- > 0;) {
      const ValueId extent = constant(problem.contracted[i].extent);
      const ValueId index = emitter.call(ScalarFunction::remainder, {rest, extent});
      rest = emitter.call(ScalarFunction::divide, {rest, extent});
      source_offset = stepped(emitter, source_offset, index, problem.contracted[i].rhs);
      offset = stepped(emitter, offset, index, panels.contracted[i].rhs);
    }
    source_offset = stepped(emitter, source_offset, stretch, rows * depth.rhs);
    offset = stepped(emitter, offset, stretch, rows * lanes);
    const auto copy = [&](std::int64_t active) {
      const ValueId values = emitter.builder().load(
          {from, source_offset, depth.rhs, source->lane_step, active, places.back().size}, active,
          lanes);
      emitter.builder().store({to, offset, lanes, 1, active, lanes}, values);
    };
    const std::int64_t last = depth.extent - (stretches - 1) * rows;
    if (last == rows) return copy(rows);
    const ValueId final_stretch = constant(stretches - 1);
    emitter.if_true(emitter.call(ScalarFunction::less, {stretch, final_stretch}),
                    [&] { copy(rows); });
    emitter.if_true(emitter.call(ScalarFunction::equal, {stretch, final_stretch}),
                    [&] { copy(last); });
  });
  writer.add(std::move(emitter).finish());
  return panels;
}

}  // namespace tenon::lower

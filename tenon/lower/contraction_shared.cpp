#include "tenon/base/error.h"
#include "tenon/lower/contraction.h"

namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

constexpr std::int64_t kTile = 64;   // rows and lanes of a team's tile
constexpr std::int64_t kDepth = 16;  // of the panels in shared memory

// Copies panels of both operands to shared memory and multiplies them there.
struct PanelContractor {
  Emitter& emitter;
  const std::vector<ContractedAxis>& axes;
  BufferId lhs, rhs, lhs_panel, rhs_panel;
  std::int64_t rows, lanes;
  std::int64_t lhs_row_step, rhs_lane_step;

  // A rectangle of `from`, outer x inner, read along its contiguous side.
  void copy(BufferId from, ValueId offset, std::int64_t outer, std::int64_t outer_step,
            std::int64_t inner, std::int64_t inner_step, BufferId to, std::int64_t to_outer_step) {
    kernel::KernelBuilder& b = emitter.builder();
    const ValueId zero = emitter.index_constant(DType::i64, 0);
    if (inner_step != 1 && outer_step == 1) {
      const ValueId values = b.load({from, offset, inner_step, 1, inner, outer}, inner, outer);
      b.store({to, zero, 1, to_outer_step, inner, outer}, values);
    } else {
      const ValueId values =
          b.load({from, offset, outer_step, inner_step, outer, inner}, outer, inner);
      b.store({to, zero, to_outer_step, 1, outer, inner}, values);
    }
  }

  ValueId multiply_panels(ValueId lhs_offset, ValueId rhs_offset, std::int64_t depth,
                          ValueId accumulator) {
    const ContractedAxis& axis = axes.back();
    emitter.builder().barrier();
    copy(lhs, lhs_offset, rows, lhs_row_step, depth, axis.lhs, lhs_panel, kDepth);
    copy(rhs, rhs_offset, depth, axis.rhs, lanes, rhs_lane_step, rhs_panel, kTile);
    emitter.builder().barrier();
    const ValueId zero = emitter.index_constant(DType::i64, 0);
    return emitter.builder().contract(
        {lhs_panel, rhs_panel, zero, zero, kDepth, 1, kTile, 1, depth, rows, lanes, accumulator});
  }

  ValueId run(std::size_t level, ValueId lhs_offset, ValueId rhs_offset, ValueId accumulator) {
    const ContractedAxis& axis = axes[level];
    const bool is_last = level + 1 == axes.size();
    const std::int64_t step = is_last ? kDepth : 1;
    const auto body = [&](ValueId i, std::span<const ValueId> carried) {
      const ValueId next_lhs = stepped(emitter, lhs_offset, i, step * axis.lhs);
      const ValueId next_rhs = stepped(emitter, rhs_offset, i, step * axis.rhs);
      return std::vector{is_last ? multiply_panels(next_lhs, next_rhs, kDepth, carried[0])
                                 : run(level + 1, next_lhs, next_rhs, carried[0])};
    };
    ValueId total = emitter.loop(axis.extent / step, std::array{accumulator}, body)[0];
    if (const std::int64_t rest = axis.extent % step; rest > 0) {
      const ValueId end = emitter.index_constant(DType::i64, axis.extent - rest);
      total = multiply_panels(stepped(emitter, lhs_offset, end, axis.lhs),
                              stepped(emitter, rhs_offset, end, axis.rhs), rest, total);
    }
    return total;
  }
};

}  // namespace

void lower_shared(Contraction& problem, const AxisGroup& lanes, const AxisGroup& rows) {
  RegionWriter& writer = problem.writer;
  Tiling tiling = outer_groups(problem, &lanes, &rows);
  tiling.push_back({lanes, std::min(kTile, lanes.extent), Along::lanes, false});
  tiling.push_back({rows, std::min(kTile, rows.extent), Along::rows, false});
  Emitter emitter(writer.context(), writer.kernel_name(""), problem.space, tile_count(tiling));
  const BufferId lhs = emitter.buffer(problem.lhs.memory, problem.lhs.type);
  const BufferId rhs = emitter.buffer(problem.rhs.memory, problem.rhs.type);
  // Shared buffers come after all arguments.
  for (const auto& [value, argument] : writer.context().memory)
    if (argument != problem.lhs.memory && argument != problem.rhs.memory)
      emitter.declare_input(value);
  for (const Destination& to : writer.outputs())
    emitter.buffer(to.argument, writer.type(to.value), true);
  kernel::KernelBuilder& b = emitter.builder();
  const BufferId lhs_panel = b.shared("lhs_panel", problem.lhs.type.dtype, kTile * kDepth);
  const BufferId rhs_panel = b.shared("rhs_panel", problem.rhs.type.dtype, kTile * kDepth);
  write_tile(emitter, tiling, b.instance(), [&](std::span<const TilePlace> places) {
    const std::int64_t tile_rows = places.back().size;
    const std::int64_t tile_lanes = places[places.size() - 2].size;
    emitter.set_frame({tile_rows, tile_lanes, tile_rows, tile_lanes});
    const auto lhs_place = emitter.place(problem.lhs.place);
    const auto rhs_place = emitter.place(problem.rhs.place);
    check(lhs_place && rhs_place, "a contraction's operand does not step evenly");
    PanelContractor contractor{emitter,
                               problem.contracted,
                               lhs,
                               rhs,
                               lhs_panel,
                               rhs_panel,
                               tile_rows,
                               tile_lanes,
                               lhs_place->row_step,
                               rhs_place->lane_step};
    const ValueId zero = emitter.full_tile(emitter.constant(problem.accumulate, 0));
    write_epilogue(emitter, problem, contractor.run(0, lhs_place->offset, rhs_place->offset, zero));
  });
  writer.add(std::move(emitter).finish());
}

}  // namespace tenon::lower

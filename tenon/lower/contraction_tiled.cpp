#include "tenon/base/error.h"
#include "tenon/lower/contraction.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr std::int64_t kLongDepth = 4096;       // a chain that may be cut into blocks
constexpr std::int64_t kLeastBlockDepth = 512;  // of one block
constexpr std::int64_t kMostBlocks = 16;
constexpr std::int64_t kFewResults = 16384;  // with more there is enough to do side by side
constexpr std::int64_t kFarRows = 2048;      // bytes between rows of rhs that spoil the cache

struct TileSize {
  std::int64_t rows = 1, lanes = 1;
};

// Accumulators fill most of the registers, two vectors of lanes wide where there are that many
// lanes.
TileSize choose_tile(const Target& target, DType accumulate, std::int64_t rows,
                     std::int64_t lanes) {
  if (target.kind == Target::Kind::cuda)
    return {std::min<std::int64_t>(rows, 8),
            std::min(lanes, std::max<std::int64_t>(target.team, 32))};
  const std::int64_t vector = std::max<std::int64_t>(
      target.vector_bytes / static_cast<std::int64_t>(size_of(accumulate)), 1);
  TileSize tile;
  const std::int64_t widest = rows == 1 ? 8 : 2;
  tile.lanes = std::min((lanes + vector - 1) / vector, widest) * vector;
  const std::int64_t vectors = tile.lanes / vector;
  const std::int64_t most = std::max<std::int64_t>((target.registers - 2 - vectors) / vectors, 1);
  if (rows <= most) {
    tile.rows = rows;
  } else {
    // Equal tiles if they are not much smaller, else a smaller last one.
    const std::int64_t tiles = (rows + most - 1) / most;
    tile.rows = divisor_within(rows, (most * 3 + 4) / 5, most).value_or((rows + tiles - 1) / tiles);
  }
  return tile;
}

bool should_pack(const Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows,
                 std::int64_t tile_lanes) {
  if (rows == nullptr) return false;
  const std::int64_t step = *step_of(problem.rhs.place, lanes, problem.space);
  if (step != 1) return rows->extent >= 4;
  const std::int64_t element = static_cast<std::int64_t>(size_of(problem.rhs.type.dtype));
  const bool is_ragged = lanes.extent % tile_lanes != 0;
  const bool is_far =
      problem.contracted.back().rhs * element >= kFarRows && problem.contracted.back().extent >= 32;
  return (is_ragged && rows->extent >= 16) || (is_far && rows->extent >= 64);
}

// By shape alone: the number of blocks that the outermost contracted axis is cut into.
std::int64_t choose_blocks(const Contraction& problem) {
  const std::int64_t depth = problem.contracted_count();
  const std::int64_t results = problem.result_count();
  if (depth < kLongDepth || results > kFewResults) return 1;
  const std::int64_t most = std::min(kMostBlocks, depth / kLeastBlockDepth);
  return divisor_within(problem.contracted.front().extent, 2, most).value_or(1);
}

// Multiplies over all contracted axes; the outer ones are loops.
struct TileContractor {
  Emitter& emitter;
  const std::vector<ContractedAxis>& axes;
  kernel::Contract contract;  // all but offsets and accumulator
  std::int64_t first_extent;  // of the outermost axis, or of its block

  ValueId run(std::size_t level, ValueId lhs, ValueId rhs, ValueId accumulator) {
    const std::int64_t extent = level == 0 ? first_extent : axes[level].extent;
    if (level + 1 == axes.size()) {
      kernel::Contract step = contract;
      step.lhs_offset = lhs;
      step.rhs_offset = rhs;
      step.depth = extent;
      step.accumulator = accumulator;
      return emitter.builder().contract(step);
    }
    const auto body = [&](ValueId i, std::span<const ValueId> carried) {
      return std::vector{run(level + 1, stepped(emitter, lhs, i, axes[level].lhs),
                             stepped(emitter, rhs, i, axes[level].rhs), carried[0])};
    };
    return emitter.loop(extent, std::array{accumulator}, body)[0];
  }
};

}  // namespace

void lower_tiled(Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows) {
  RegionWriter& writer = problem.writer;
  const TileSize tile = choose_tile(writer.target(), problem.accumulate,
                                    rows == nullptr ? 1 : rows->extent, lanes.extent);
  std::optional<Panels> panels;
  if (should_pack(problem, lanes, rows, tile.lanes)) panels = pack_rhs(problem, lanes, tile.lanes);
  const std::vector<ContractedAxis>& axes = panels ? panels->contracted : problem.contracted;
  const ContractionOperand& rhs = panels ? panels->operand : problem.rhs;
  const std::int64_t rhs_lane_step = panels ? 1 : *step_of(problem.rhs.place, lanes, problem.space);

  Tiling tiling = outer_groups(problem, &lanes, rows);
  const std::size_t lane_place = tiling.size();
  tiling.push_back({lanes, std::min(tile.lanes, lanes.extent), Along::lanes, false});
  if (panels) tiling.back().tile = tile.lanes;
  if (rows != nullptr) tiling.push_back({*rows, tile.rows, Along::rows, false});
  const std::int64_t blocks = choose_blocks(problem);
  const std::int64_t tiles = tile_count(tiling);
  const std::int64_t first_extent = axes.front().extent / blocks;

  const TensorType partial_type{problem.accumulate, {blocks, problem.result_count()}};
  Argument partials;
  if (blocks > 1) partials = writer.new_scratch(byte_size(partial_type));
  Emitter emitter(writer.context(), writer.kernel_name(blocks > 1 ? "partial" : ""), problem.space,
                  tiles * blocks);
  const kernel::BufferId left = emitter.buffer(problem.lhs.memory, problem.lhs.type);
  const kernel::BufferId right = emitter.buffer(rhs.memory, rhs.type);
  const ValueId instance = emitter.builder().instance();
  const ValueId count = emitter.index_constant(DType::i64, tiles);
  const ValueId block = emitter.call(ScalarFunction::divide, {instance, count});
  const ValueId number = emitter.call(ScalarFunction::remainder, {instance, count});
  write_tile(emitter, tiling, number, [&](std::span<const TilePlace> places) {
    const std::int64_t tile_rows = rows == nullptr ? 1 : places.back().size;
    const std::int64_t valid = places[lane_place].size;
    // Panels are whole vectors wide: what lies after the last lane is computed and not stored.
    const std::int64_t vector = std::max<std::int64_t>(
        writer.target().vector_bytes / static_cast<std::int64_t>(size_of(problem.accumulate)), 1);
    const std::int64_t width = panels && writer.target().kind == Target::Kind::cpu
                                   ? std::min((valid + vector - 1) / vector * vector, panels->lanes)
                                   : valid;
    emitter.set_frame({tile_rows, width, tile_rows, valid});
    const auto lhs_place = emitter.place(problem.lhs.place);
    check(lhs_place.has_value(), "a contraction's operand does not step evenly");
    ValueId lhs_offset = lhs_place->offset, rhs_offset;
    if (panels) {
      rhs_offset = stepped(emitter, emitter.scalar(panels->outer), places[lane_place].number,
                           panels->panel_size);
    } else {
      rhs_offset = emitter.place(problem.rhs.place)->offset;
    }
    lhs_offset = stepped(emitter, lhs_offset, block, first_extent * axes.front().lhs);
    rhs_offset = stepped(emitter, rhs_offset, block, first_extent * axes.front().rhs);
    kernel::Contract contract;
    contract.lhs = left;
    contract.rhs = right;
    contract.lhs_row_stride = lhs_place->row_step;
    contract.lhs_depth_stride = axes.back().lhs;
    contract.rhs_depth_stride = axes.back().rhs;
    contract.rhs_lane_stride = rhs_lane_step;
    contract.active_rows = tile_rows;
    contract.active_lanes = width;
    const ValueId zero = emitter.full_tile(emitter.constant(problem.accumulate, 0));
    TileContractor contractor{emitter, axes, contract, first_extent};
    const ValueId total = contractor.run(0, lhs_offset, rhs_offset, zero);
    if (blocks == 1) return write_epilogue(emitter, problem, total);
    Affine place = row_major(problem.space);
    place.runtime.push_back({block, problem.result_count(), {0, blocks - 1}});
    emitter.store(emitter.buffer(partials, partial_type, true), place, total);
  });
  writer.add(std::move(emitter).finish());
  if (blocks == 1) return;

  const auto prepare = [&](Emitter& e) {
    const Affine flat = row_major(e.space());
    const auto at = e.place(flat);
    check(at.has_value(), "partial results are not read in order");
    e.note_form(flat, true);
    const ValueId parts =
        e.builder().load({e.buffer(partials, partial_type), at->offset, problem.result_count(),
                          at->lane_step, blocks, e.frame().active_lanes},
                         blocks, e.frame().lanes);
    const ValueId total =
        e.builder().fold(ScalarFunction::add, kernel::FoldAxis::rows, parts, blocks);
    e.set_known(problem.result, e.builder().cast(total, writer.type(problem.result).dtype), flat);
  };
  lower_elements(writer, writer.context(), writer.outputs(), "", prepare);
}

}  // namespace tenon::lower

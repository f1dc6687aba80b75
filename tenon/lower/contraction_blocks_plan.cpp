#include <algorithm>

#include "tenon/lower/contraction_blocks.h"

namespace tenon::lower {

namespace {

constexpr std::int64_t kLeastDepth = 192;
constexpr std::int64_t kBlockDepth = 96;
constexpr std::int64_t kPackedDepth = 256;   // of a block that is copied
constexpr std::int64_t kPackedAcross = 128;  // where both operands lie across the contracted axis
constexpr std::int64_t kLeastPatches = 16, kLeastPackedPatches = 12;
constexpr std::int64_t kMostTiles = 48, kMostLaneTiles = 8;   // of an instance
constexpr std::int64_t kMostPackedLanes = 4;                  // tiles of lanes
constexpr std::int64_t kMostPackedSums = 24 * 1024;           // of an instance that copies
constexpr std::int64_t kPackedBytes = std::int64_t{1} << 21;  // of a right operand to be copied
constexpr std::int64_t kPackedRows = 64;                      // that read it
// Rows of the left operand so far apart meet in the same places of the first cache, which holds few
// of them: a tile has at most kAliasRows such rows.
constexpr std::int64_t kAliasBytes = 4096, kAliasRows = 8;
// Rows of the right operand that are nearly a page apart need a page each, of which processors know
// few at a time, and may meet in the first cache, too: they are copied.
constexpr std::int64_t kPageApart = 3072;

Patch choose_patch(std::int64_t outer, std::int64_t row_tiles, std::int64_t lane_tiles) {
  Patch patch;
  const std::int64_t most =
      std::clamp<std::int64_t>(outer * lane_tiles * row_tiles / kLeastPatches, 4, kMostLaneTiles);
  patch.lanes =
      divisor_within(lane_tiles, (most + 1) / 2, most).value_or(std::min(lane_tiles, most));
  const std::int64_t lane_groups = ceil_divide(lane_tiles, patch.lanes);
  patch.rows = std::clamp<std::int64_t>(outer * lane_groups * row_tiles / kLeastPatches, 1,
                                        std::max<std::int64_t>(kMostTiles / patch.lanes, 1));
  return patch;
}

// The left operand is read once for each patch of lanes, the right one copied once for each of
// rows, which takes longer.
Patch choose_packed_patch(std::int64_t outer, std::int64_t row_tiles, std::int64_t lane_tiles,
                          const TileSize& tile, std::int64_t most_lanes) {
  Patch best;
  std::int64_t least = 0;
  for (std::int64_t lanes = 1; lanes <= std::min(most_lanes, lane_tiles); ++lanes) {
    const std::int64_t lane_groups = ceil_divide(lane_tiles, lanes);
    const std::int64_t wanted = std::max<std::int64_t>(
        ceil_divide(kLeastPackedPatches, outer * lane_groups),
        ceil_divide(row_tiles * tile.rows * tile.lanes * lanes, kMostPackedSums));
    const Patch patch{ceil_divide(row_tiles, std::min(wanted, row_tiles)), lanes};
    const std::int64_t cost = row_tiles * tile.rows * lane_groups +
                              3 * lane_tiles * tile.lanes * ceil_divide(row_tiles, patch.rows);
    if (least != 0 && cost >= least) continue;
    best = patch;
    least = cost;
  }
  return best;
}

std::int64_t element_bytes(const ContractionOperand& operand) {
  return static_cast<std::int64_t>(size_of(operand.type.dtype));
}

TileSize choose_blocked_tile(const Contraction& problem, const AxisGroup& lanes,
                             const AxisGroup& rows) {
  TileSize tile =
      choose_tile(problem.writer.target(), problem.accumulate, rows.extent, lanes.extent);
  const std::int64_t apart =
      *step_of(problem.lhs.place, rows, problem.space) * element_bytes(problem.lhs);
  if (apart != 0 && apart % kAliasBytes == 0 && tile.rows > kAliasRows)
    tile.rows = divisor_within(rows.extent, kAliasRows * 3 / 4, kAliasRows).value_or(kAliasRows);
  return tile;
}

// Both operands lie across the contracted axis.
bool is_across(const Contraction& problem, const AxisGroup& lanes, const AxisGroup& rows,
               const TileSize& tile) {
  const ContractedAxis& depth = problem.contracted.front();
  return step_of(problem.lhs.place, rows, problem.space) == 1 &&
         step_of(problem.rhs.place, lanes, problem.space) == 1 && depth.lhs >= 2 * tile.rows &&
         depth.rhs >= lanes.extent;
}

}  // namespace

std::int64_t BlockPlan::grid() const {
  return tile_count(outer) / lane_tiles() * row_groups() * lane_groups();
}

std::optional<BlockPlan> plan_blocks(const Contraction& problem, const AxisGroup& lanes,
                                     const AxisGroup& rows) {
  const kernel::KernelOptions& options = problem.writer.options();
  if (problem.writer.target().kind != Target::Kind::cpu || problem.contracted.size() != 1 ||
      !options.block_products)
    return std::nullopt;
  BlockPlan plan;
  plan.tile = choose_blocked_tile(problem, lanes, rows);
  const std::int64_t depth = problem.contracted.front().extent;
  // A copy of the whole for a few rows is memory that many rows do not take. Before a loop it is
  // made once.
  const bool is_short = rows.extent < kPackedRows && !is_rhs_lasting(problem) &&
                        should_pack(problem, lanes, &rows, plan.tile.lanes);
  if (depth < kLeastDepth || lanes.extent <= plan.tile.lanes ||
      (rows.extent <= plan.tile.rows && !is_short))
    return std::nullopt;
  const std::int64_t bytes = element_bytes(problem.rhs);
  plan.is_across = is_across(problem, lanes, rows, plan.tile);
  plan.packs = options.copy_blocks && (rows.extent >= kPackedRows || is_short) &&
               lanes.extent * depth * bytes >= kPackedBytes &&
               (!plan.is_across || problem.contracted.front().rhs * bytes >= kPageApart);
  const bool is_cut = depth >= kLongDepth && problem.result_count() <= kMostBlockedResults;
  if (!plan.packs && (!plan.is_across || is_cut || rows.extent <= plan.tile.rows))
    return std::nullopt;

  plan.outer = outer_groups(problem, &lanes, &rows);
  const std::int64_t outer = tile_count(plan.outer);
  plan.outer.push_back({lanes, plan.tile.lanes, Along::lanes, false});
  plan.tiling = plan.outer;
  plan.tiling.push_back({rows, plan.tile.rows, Along::rows, false});
  const std::int64_t most_lanes =
      is_short ? std::clamp<std::int64_t>(outer * plan.lane_tiles() / kLeastPackedPatches, 1,
                                          kMostPackedLanes)
               : kMostPackedLanes;
  plan.patch = plan.packs ? choose_packed_patch(outer, plan.row_tiles(), plan.lane_tiles(),
                                                plan.tile, most_lanes)
                          : choose_patch(outer, plan.row_tiles(), plan.lane_tiles());
  // Where there are few tiles, blocks of the depth go side by side (lower_tiled).
  if (plan.packs && plan.grid() < kLeastPackedPatches) return std::nullopt;
  const std::int64_t block = !plan.packs      ? kBlockDepth
                             : plan.is_across ? kPackedAcross
                                              : kPackedDepth;
  plan.depth = ceil_divide(depth, ceil_divide(depth, block));
  if (plan.packs) plan.depth = ceil_divide(plan.depth, kCopiedRows) * kCopiedRows;
  plan.blocks = ceil_divide(depth, plan.depth);
  return plan;
}

}  // namespace tenon::lower

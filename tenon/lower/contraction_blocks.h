// How a product goes through the contracted axis in blocks: what depends on shapes alone.
#pragma once
#include "tenon/lower/contraction.h"

namespace tenon::lower {

// Rows of the contracted axis that are copied at a time; a block of panels is a multiple of them.
inline constexpr std::int64_t kCopiedRows = 32;

// Tiles of an instance, side by side.
struct Patch {
  std::int64_t rows = 1, lanes = 1;
};

struct BlockPlan {
  TileSize tile;
  Patch patch;
  bool packs = false;       // a block of the right operand is copied into panels
  bool is_across = false;   // both operands lie across the contracted axis
  std::int64_t blocks = 1;  // of the contracted axis
  std::int64_t depth = 1;   // of all of them but the last
  Tiling outer;             // other groups..., lanes
  Tiling tiling;            // other groups..., lanes, rows

  std::int64_t lane_tiles() const { return outer.back().count(); }
  std::int64_t row_tiles() const { return tiling.back().count(); }
  std::int64_t row_groups() const { return ceil_divide(row_tiles(), patch.rows); }
  std::int64_t lane_groups() const { return ceil_divide(lane_tiles(), patch.lanes); }
  std::int64_t grid() const;
};

// None where operands stay in a cache anyway, or a tile or a block is all there is.
std::optional<BlockPlan> plan_blocks(const Contraction& problem, const AxisGroup& lanes,
                                     const AxisGroup& rows);

// As lower_tiled, for operands that do not stay in a cache: an instance takes several tiles through
// the contracted axis a block at a time.
void lower_in_blocks(const Contraction& problem, const BlockPlan& plan);

}  // namespace tenon::lower

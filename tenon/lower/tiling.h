// How the positions of a space are dealt out to instances, loops and tiles.
#pragma once
#include "tenon/base/ceil_divide.h"
#include "tenon/lower/emitter.h"

namespace tenon::lower {

// A space whose axes are fine enough for every index to be affine where that is possible, and the
// index expressions that a kernel over it uses.
struct Survey {
  Space space;
  std::vector<Emitter::Form> forms;
  std::vector<Split> splits;  // what was done to the space, in order
  std::vector<Emitter::Cut> cuts;
};
// Writes a kernel that is thrown away, with every axis a number, splitting axes until no index
// asks for more.
Survey survey(const Context& context, Space space, const std::function<void(Emitter&)>& write);
std::vector<Affine> affines(const std::vector<Emitter::Form>& forms);

// A group cut into tiles; the last tile may be smaller.
struct TiledGroup {
  AxisGroup group;
  std::int64_t tile = 1;
  Along along = Along::none;
  bool is_looped = false;  // the body binds it, stepping through the tile
  std::int64_t count() const { return ceil_divide(group.extent, tile); }
  std::int64_t tail() const { return group.extent - (count() - 1) * tile; }
};
using Tiling = std::vector<TiledGroup>;  // outermost first
std::int64_t tile_count(const Tiling& tiling);

// The largest divisor of n that is at most `most` and at least `least`; none if there is none.
std::optional<std::int64_t> divisor_within(std::int64_t n, std::int64_t least, std::int64_t most);
// Extent of a tile of an axis of extent n: all of it up to `most`, else a divisor or `most`.
std::int64_t tile_extent(std::int64_t n, std::int64_t most);

// Tiles for a kernel that visits every position once. Sizes follow from shapes and the target kind.
Tiling choose_tiling(const Target& target, const Survey& survey,
                     const std::vector<AxisGroup>& groups);

// Where a group's tile starts and how large it is.
struct TilePlace {
  kernel::ValueId number, base;  // i64 scalars; base = number * tile
  std::int64_t size = 1;
};
// Binds every group of the tiling for tile number `tile` (an i64 scalar) and calls body with the
// frame set; where a last tile is smaller, the body is written once for each size.
void write_tile(Emitter& emitter, const Tiling& tiling, kernel::ValueId tile,
                const std::function<void(std::span<const TilePlace>)>& body);

// Rounds lanes up to whole teams on a GPU; the additional ones are inactive.
Frame frame_of(const Target& target, std::int64_t rows, std::int64_t lanes);

}  // namespace tenon::lower

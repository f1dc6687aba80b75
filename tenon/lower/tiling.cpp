#include "tenon/lower/tiling.h"

#include "tenon/base/error.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr int kMostSplits = 64;
constexpr std::int64_t kTileElements = 1024;
constexpr std::int64_t kShortLanes = 16;

}  // namespace

Survey survey(const Context& context, Space space, const std::function<void(Emitter&)>& write) {
  Survey result{std::move(space), {}, {}, {}};
  for (int i = 0; i < kMostSplits; ++i) {
    Emitter trial(context, "survey", result.space, 1);
    for (std::size_t axis = 0; axis < result.space.size(); ++axis)
      trial.bind({{axis}, result.space[axis].extent, result.space[axis].label},
                 trial.builder().instance());
    write(trial);
    result.forms = trial.forms();
    result.cuts = trial.cuts();
    if (trial.wanted_splits().empty()) break;
    result.splits.push_back(trial.wanted_splits().front());
    result.space = split(result.space, result.splits.back());
  }
  return result;
}

std::vector<Affine> affines(const std::vector<Emitter::Form>& forms) {
  std::vector<Affine> result;
  for (const Emitter::Form& form : forms) result.push_back(form.affine);
  return result;
}

std::int64_t tile_count(const Tiling& tiling) {
  std::int64_t count = 1;
  for (const TiledGroup& tiled : tiling) count *= tiled.count();
  return count;
}

std::optional<std::int64_t> divisor_within(std::int64_t n, std::int64_t least, std::int64_t most) {
  for (std::int64_t candidate = std::min(n, most); candidate >= least; --candidate)
    if (n % candidate == 0) return candidate;
  return std::nullopt;
}

std::int64_t tile_extent(std::int64_t n, std::int64_t most) {
  if (n <= most) return n;
  // Whole vectors of 16 lanes first.
  for (std::int64_t candidate = most / 16 * 16; candidate >= most / 4; candidate -= 16)
    if (candidate > 0 && n % candidate == 0) return candidate;
  return divisor_within(n, most / 2, most).value_or(most);
}

namespace {

// A group along which some load is contiguous while it strides along the lanes: a transpose.
std::optional<std::size_t> transposed_group(const Survey& survey,
                                            const std::vector<AxisGroup>& groups) {
  for (const Emitter::Form& form : survey.forms) {
    if (!form.is_memory) continue;
    const auto lane_step = step_of(form.affine, groups.back(), survey.space);
    if (!lane_step || (*lane_step >= -1 && *lane_step <= 1)) continue;
    for (std::size_t g = 0; g + 1 < groups.size(); ++g)
      if (step_of(form.affine, groups[g], survey.space) == 1 && groups[g].extent >= 4) return g;
  }
  return std::nullopt;
}

// Whether some computed index varies along the group: such a group is better stepped by a loop.
bool is_computed_with(const Survey& survey, const AxisGroup& group) {
  return std::ranges::any_of(survey.forms, [&](const Emitter::Form& form) {
    return !form.is_memory && depends_on(form.affine, group);
  });
}

}  // namespace

namespace {

// A short last group (few channels, say) makes poor vectors. Where most addresses step evenly over
// it and the one before, both become one; the others are computed from digits.
std::vector<AxisGroup> without_short_lanes(const Survey& survey, std::vector<AxisGroup> groups) {
  if (groups.size() < 2 || groups.back().extent >= kShortLanes) return groups;
  AxisGroup joined = groups[groups.size() - 2];
  joined.axes.insert(joined.axes.end(), groups.back().axes.begin(), groups.back().axes.end());
  joined.extent *= groups.back().extent;
  std::size_t even = 0, uneven = 0;
  for (const Emitter::Form& form : survey.forms) {
    if (!form.is_memory && depends_on(form.affine, joined)) return groups;
    if (!form.is_memory || !depends_on(form.affine, joined)) continue;
    ++(step_of(form.affine, joined, survey.space) == 1 ? even : uneven);
  }
  if (even < 2 * uneven) return groups;
  groups.pop_back();
  groups.back() = std::move(joined);
  return groups;
}

}  // namespace

Tiling choose_tiling(const Target& target, const Survey& survey,
                     const std::vector<AxisGroup>& merged) {
  const std::vector<AxisGroup> groups =
      target.options.join_short_lanes ? without_short_lanes(survey, merged) : merged;
  Tiling tiling;
  for (const AxisGroup& group : groups) tiling.push_back({group, 1, Along::none});
  if (tiling.empty()) return tiling;
  const std::int64_t most = target.kind == Target::Kind::cpu
                                ? kTileElements
                                : std::max<std::int64_t>(4 * target.team, 32);
  TiledGroup& lanes = tiling.back();
  lanes.along = Along::lanes;
  std::optional<std::size_t> rows;
  if (target.options.tile_transposes) rows = transposed_group(survey, groups);
  if (rows) {
    lanes.tile = tile_extent(lanes.group.extent, 64);
  } else {
    lanes.tile = tile_extent(lanes.group.extent, most);
    if (target.options.tile_rows && groups.size() > 1 && lanes.tile * 2 <= most &&
        !is_computed_with(survey, groups[groups.size() - 2]))
      rows = groups.size() - 2;
  }
  if (rows) {
    TiledGroup& tiled = tiling[*rows];
    const std::int64_t room = std::max<std::int64_t>(most / lanes.tile, 1);
    tiled.along = Along::rows;
    tiled.tile = tiled.group.extent <= room
                     ? tiled.group.extent
                     : divisor_within(tiled.group.extent, (room + 3) / 4, room).value_or(room);
  }
  return tiling;
}

Frame frame_of(const Target& target, std::int64_t rows, std::int64_t lanes) {
  Frame frame{rows, lanes, rows, lanes};
  if (target.kind == Target::Kind::cuda && rows == 1 && lanes > 1)
    frame.lanes = ceil_divide(lanes, target.team) * target.team;
  return frame;
}

namespace {

struct TileWriter {
  Emitter& emitter;
  const Tiling& tiling;
  const std::function<void(std::span<const TilePlace>)>& body;
  std::vector<TilePlace> places;

  // Groups from `next` on still have to be bound; the frame so far is rows x lanes.
  void write(std::size_t next, std::int64_t rows, std::int64_t lanes) {
    if (next == tiling.size()) {
      emitter.set_frame(frame_of(emitter.context().target, rows, lanes));
      body(places);
      return;
    }
    const TiledGroup& tiled = tiling[next];
    const ValueId number = places[next].number;
    places[next].base = emitter.call(ScalarFunction::multiply,
                                     {number, emitter.index_constant(DType::i64, tiled.tile)});
    const auto with_size = [&](std::int64_t size) {
      places[next].size = size;
      if (!tiled.is_looped) emitter.bind(tiled.group, places[next].base, tiled.along);
      write(next + 1, tiled.along == Along::rows ? size : rows,
            tiled.along == Along::lanes ? size : lanes);
    };
    if (tiled.count() == 1 || tiled.tail() == tiled.tile) return with_size(tiled.tail());
    const ValueId last = emitter.index_constant(DType::i64, tiled.count() - 1);
    const ValueId is_inner = emitter.call(ScalarFunction::less, {number, last});
    const ValueId is_last = emitter.call(ScalarFunction::equal, {number, last});
    emitter.if_true(is_inner, [&] { with_size(tiled.tile); });
    emitter.if_true(is_last, [&] { with_size(tiled.tail()); });
  }
};

}  // namespace

void write_tile(Emitter& emitter, const Tiling& tiling, ValueId tile,
                const std::function<void(std::span<const TilePlace>)>& body) {
  TileWriter writer{emitter, tiling, body, std::vector<TilePlace>(tiling.size())};
  ValueId rest = tile;
  std::size_t first = 0;  // group that has more than one tile
  while (first < tiling.size() && tiling[first].count() == 1) ++first;
  for (std::size_t i = tiling.size(); i-- > 0;) {
    writer.places[i].number = i == first ? rest : emitter.index_constant(DType::i64, 0);
    if (i <= first || tiling[i].count() == 1) continue;
    const ValueId count = emitter.index_constant(DType::i64, tiling[i].count());
    writer.places[i].number = emitter.call(ScalarFunction::remainder, {rest, count});
    rest = emitter.call(ScalarFunction::divide, {rest, count});
  }
  emitter.scoped([&] { writer.write(0, 1, 1); });
}

}  // namespace tenon::lower

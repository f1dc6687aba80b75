#include <numeric>

#include "tenon/base/error.h"
#include "tenon/lower/region_writer.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

// Every destination at the same row-major position. All are computed before any is stored, so that
// outputs may take the place of inputs.
void write_elements(Emitter& emitter, const Context& context,
                    const std::vector<Destination>& destinations, const Affine& flat) {
  std::vector<ValueId> tiles;
  for (const Destination& to : destinations) tiles.push_back(emitter.value_at(to.value, flat));
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const TensorType& type = context.type(destinations[i].value);
    emitter.store(emitter.buffer(destinations[i].argument, type, true), flat, tiles[i]);
  }
}

constexpr std::int64_t kMostSegments = 8;
constexpr std::int64_t kShortestSegment = 16;
constexpr int kSegmentLabel = 1;

// Conditions on an axis (which part of a concatenation, inside or outside of padding) are decided
// once for each of a few equally long segments: the axis becomes two, and the kernel has a branch
// for each position of the outer one.
std::optional<Split> find_segments(const Survey& found) {
  for (std::size_t axis = 0; axis < found.space.size(); ++axis) {
    const std::int64_t extent = found.space[axis].extent;
    std::int64_t length = extent;
    for (const Emitter::Cut& cut : found.cuts)
      if (cut.axis == axis) length = std::gcd(length, cut.position);
    if (length < extent && length >= kShortestSegment && extent / length <= kMostSegments)
      return Split{axis, length};
  }
  return std::nullopt;
}

std::size_t segment_axis(const Space& space) {
  const auto found = std::ranges::find(space, kSegmentLabel, &SpaceAxis::label);
  return static_cast<std::size_t>(found - space.begin());
}

// The position in row-major order within one segment: no longer a function of the segment.
Affine in_segment(const Space& space, std::int64_t segment) {
  Affine flat = row_major(space);
  std::int64_t& step = flat.coefficients[segment_axis(space)];
  flat.constant += segment * step;
  step = 0;
  return flat;
}

void lower_segments(RegionWriter& writer, const Context& context,
                    const std::vector<Destination>& destinations, std::string_view stage,
                    const Space& whole, const Split& at) {
  Space space = split(whole, at);
  space[at.axis].label = kSegmentLabel;
  const std::int64_t segments = space[at.axis].extent;
  const Survey found = survey(context, space, [&](Emitter& emitter) {
    for (std::int64_t i = 0; i < segments; ++i)
      emitter.scoped(
          [&] { write_elements(emitter, context, destinations, in_segment(emitter.space(), i)); });
  });
  std::vector<AxisGroup> groups = merge_axes(found.space, affines(found.forms));
  const std::size_t axis = segment_axis(found.space);
  std::erase_if(groups, [&](const AxisGroup& group) { return group.axes.front() == axis; });
  Tiling tiling = choose_tiling(context.target, found, groups);
  tiling.insert(tiling.begin(), {{{axis}, segments, kSegmentLabel}, 1, Along::none, false});
  Emitter emitter(context, writer.kernel_name(stage), found.space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace> places) {
    for (std::int64_t i = 0; i < segments; ++i) {
      const ValueId is_here = emitter.call(
          ScalarFunction::equal, {places[0].number, emitter.index_constant(DType::i64, i)});
      emitter.if_true(is_here, [&] {
        write_elements(emitter, context, destinations, in_segment(emitter.space(), i));
      });
    }
  });
  writer.add(std::move(emitter).finish());
}

}  // namespace

void lower_elements(RegionWriter& writer, const Context& context,
                    const std::vector<Destination>& destinations, std::string_view stage,
                    const std::function<void(Emitter&)>& prepare) {
  const Shape& shape = context.type(destinations.front().value).shape;
  if (element_count(shape) == 0) return;
  const Survey found = survey(context, space_of(shape), [&](Emitter& emitter) {
    if (prepare) prepare(emitter);
    write_elements(emitter, context, destinations, row_major(emitter.space()));
  });
  if (!prepare && context.target.options.branch_by_segment)
    if (const auto segments = find_segments(found))
      return lower_segments(writer, context, destinations, stage, found.space, *segments);
  Tiling tiling =
      choose_tiling(context.target, found, merge_axes(found.space, affines(found.forms)));
  if (prepare)
    for (TiledGroup& tiled : tiling)
      if (tiled.along == Along::rows) tiled.along = Along::none, tiled.tile = 1;
  Emitter emitter(context, writer.kernel_name(stage), found.space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
    if (prepare) prepare(emitter);
    write_elements(emitter, context, destinations, row_major(emitter.space()));
  });
  writer.add(std::move(emitter).finish());
}

void lower_pointwise(RegionWriter& writer, const Context& context,
                     const std::vector<Destination>& destinations, std::string_view stage) {
  lower_elements(writer, context, destinations, stage, nullptr);
}

void lower_pointwise(RegionWriter& writer) {
  lower_pointwise(writer, writer.context(), writer.outputs(), "");
}

}  // namespace tenon::lower

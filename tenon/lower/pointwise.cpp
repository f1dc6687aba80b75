#include "tenon/base/error.h"
#include "tenon/lower/region_writer.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

// Every destination at the same row-major position. All are computed before any is stored, so that
// outputs may take the place of inputs.
void write_elements(Emitter& emitter, const Context& context,
                    const std::vector<Destination>& destinations) {
  const Affine flat = row_major(emitter.space());
  std::vector<ValueId> tiles;
  for (const Destination& to : destinations) tiles.push_back(emitter.value_at(to.value, flat));
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const TensorType& type = context.type(destinations[i].value);
    emitter.store(emitter.buffer(destinations[i].argument, type, true), flat, tiles[i]);
  }
}

}  // namespace

void lower_elements(RegionWriter& writer, const Context& context,
                    const std::vector<Destination>& destinations, std::string_view stage,
                    const std::function<void(Emitter&)>& prepare) {
  const Shape& shape = context.type(destinations.front().value).shape;
  if (element_count(shape) == 0) return;
  const Survey found = survey(context, space_of(shape), [&](Emitter& emitter) {
    if (prepare) prepare(emitter);
    write_elements(emitter, context, destinations);
  });
  Tiling tiling =
      choose_tiling(context.target, found, merge_axes(found.space, affines(found.forms)));
  if (prepare)
    for (TiledGroup& tiled : tiling)
      if (tiled.along == Along::rows) tiled.along = Along::none, tiled.tile = 1;
  Emitter emitter(context, writer.kernel_name(stage), found.space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
    if (prepare) prepare(emitter);
    write_elements(emitter, context, destinations);
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

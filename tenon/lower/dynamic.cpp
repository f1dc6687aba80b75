#include "tenon/base/error.h"
#include "tenon/lower/elements.h"
#include "tenon/lower/region_writer.h"

namespace tenon::lower {

using kernel::ValueId;

// x is copied to the result (nothing to do if they share memory), then the update is written.
void lower_dynamic_update(RegionWriter& writer, std::uint32_t node) {
  const ir::Node& source = writer.graph().node(node);
  const ir::Value x = source.operands[0], update = source.operands[1];
  const TensorType& type = writer.type(x);
  const Shape& piece = writer.type(update).shape;
  write_copy(writer, x, writer.output_argument({node, 0}), type);
  if (element_count(piece) == 0) return;
  const auto write = [&](Emitter& emitter) {
    const Position from = flat_position(piece, row_major(emitter.space()));
    Position to = axes_position(type.shape);
    for (std::size_t i = 0; i < piece.size(); ++i) {
      const std::int64_t room = type.shape[i] - piece[i];
      to.axes[i] = emitter.along(from, i);
      if (room == 0) continue;
      const ValueId start = emitter.value(source.operands[2 + i], axes_position({}));
      to.axes[i] = emitter.add(*to.axes[i], clamped_index(emitter, start, 0, room));
    }
    const Index place = emitter.flat(to);
    check(!place.tile, "an update is not written in order");
    const ValueId values = emitter.value(update, from);
    emitter.store(emitter.buffer(writer.output_argument({node, 0}), type, true), place.affine,
                  values);
  };
  const Survey found = survey(writer.context(), space_of(piece), write);
  const Tiling tiling =
      choose_tiling(writer.target(), found, merge_axes(found.space, affines(found.forms)));
  Emitter emitter(writer.context(), writer.kernel_name(""), found.space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(),
             [&](std::span<const TilePlace>) { write(emitter); });
  writer.add(std::move(emitter).finish());
}

void write_copy(RegionWriter& writer, ir::Value x, const Argument& to, const TensorType& type) {
  const TensorType& source = writer.type(x);
  const auto write = [&](Emitter& emitter) {
    const Affine flat = row_major(emitter.space());
    const ValueId values = emitter.value_at(x, flat);
    emitter.store(emitter.buffer(to, type, true), flat, emitter.builder().cast(values, type.dtype));
  };
  const Survey found = survey(writer.context(), space_of(source.shape), write);
  const Tiling tiling =
      choose_tiling(writer.target(), found, merge_axes(found.space, affines(found.forms)));
  Emitter emitter(writer.context(), writer.kernel_name("copy"), found.space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(),
             [&](std::span<const TilePlace>) { write(emitter); });
  LoweredRegion copy = std::move(emitter).finish();
  copy.is_copy = source.dtype == type.dtype;
  writer.add(std::move(copy));
}

}  // namespace tenon::lower

#include "tenon/base/error.h"
#include "tenon/lower/elements.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr std::int64_t kScatterLanes = 512;

std::optional<ScalarFunction> combining_function(ir::ScatterKind kind) {
  switch (kind) {
    case ir::ScatterKind::set: return std::nullopt;
    case ir::ScatterKind::add: return ScalarFunction::add;
    case ir::ScatterKind::multiply: return ScalarFunction::multiply;
    case ir::ScatterKind::min: return ScalarFunction::minimum;
    case ir::ScatterKind::max: break;
  }
  return ScalarFunction::maximum;
}

// Axes of the updates: batch axes and the elements of one update are independent (kKept), index
// vectors are stepped through in order (kReduced).
Space update_space(const ir::Scatter& op, const Shape& updates, std::size_t index_rank) {
  Space space;
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const bool is_ordered = i >= static_cast<std::size_t>(op.batch_axes) && i < index_rank;
    if (updates[i] != 1) space.push_back({updates[i], is_ordered ? kReduced : kKept});
  }
  return space;
}

// i64, u64 above its range saturated.
ValueId signed_index(Emitter& emitter, ValueId value) {
  if (emitter.type(value).dtype == DType::u64)
    value = emitter.call(
        ScalarFunction::minimum,
        {value,
         emitter.builder().literal(
             {DType::u64, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())})});
  return emitter.builder().cast(value, DType::i64);
}

struct ScatterWriter {
  RegionWriter& writer;
  const ir::Node& node;
  const ir::Scatter& op;
  Argument total;         // what updates are combined into
  TensorType total_type;  // of a type that is wide enough

  const TensorType& type(std::size_t k) const { return writer.type(node.operands[k]); }

  // One update, or a tile of its elements.
  void write(Emitter& emitter) const {
    const std::size_t index_rank = type(1).shape.size() - 1;
    const Position update = flat_position(type(2).shape, row_major(emitter.space()));
    Position place = axes_position(type(0).shape);
    std::size_t next = index_rank;
    std::optional<ValueId> is_inside;
    for (std::size_t i = 0; i < place.shape.size(); ++i) {
      const auto named = std::ranges::find(op.axes, static_cast<std::int64_t>(i));
      if (i < static_cast<std::size_t>(op.batch_axes)) {
        place.axes[i] = emitter.along(update, i);
      } else if (named == op.axes.end()) {
        place.axes[i] = emitter.along(update, next++);
      } else {
        Position at = axes_position(type(1).shape);
        for (std::size_t j = 0; j < index_rank; ++j) at.axes[j] = emitter.along(update, j);
        at.axes[index_rank] = emitter.constant_index(named - op.axes.begin());
        const ValueId raw = signed_index(emitter, emitter.value(node.operands[1], at));
        constexpr Range kAny{std::numeric_limits<std::int64_t>::min(),
                             std::numeric_limits<std::int64_t>::max()};
        const Index index = emitter.computed(raw, kAny);
        const ValueId holds = *emitter.inside(index, 0, place.shape[i] - 1);
        is_inside =
            is_inside ? emitter.call(ScalarFunction::logical_and, {*is_inside, holds}) : holds;
        // Where it is outside nothing is touched.
        place.axes[i] = emitter.computed(raw, {0, place.shape[i] - 1});
      }
    }
    emitter.if_true(*is_inside, [&] {
      const Index at = emitter.flat(place);
      check(!at.tile, "an update is not written in order");
      const kernel::BufferId to = emitter.buffer(total, total_type, true);
      ValueId value =
          emitter.builder().cast(emitter.value(node.operands[2], update), total_type.dtype);
      if (const auto combine = combining_function(op.kind))
        value = emitter.call(*combine, {emitter.load(to, at), value});
      emitter.store(to, at.affine, value);
    });
  }

  void write_updates() const {
    const Space space = update_space(op, type(2).shape, type(1).shape.size() - 1);
    // Indices decide at run time, so a survey sees no condition that it could leave out.
    const Survey found = survey(writer.context(), space, [&](Emitter& e) { write(e); });
    Tiling tiling;
    const auto batch_axes = static_cast<std::size_t>(op.batch_axes);
    std::size_t batch_elements = 1;
    for (std::size_t i = 0; i < batch_axes; ++i)
      batch_elements *= static_cast<std::size_t>(type(2).shape[i]);
    std::vector<AxisGroup> ordered;
    std::size_t seen = 1;
    for (const AxisGroup& group : merge_axes(found.space, affines(found.forms))) {
      if (group.label == kReduced) {
        ordered.push_back(group);
        continue;
      }
      tiling.push_back({group, 1, Along::none, false});
      if (seen >= batch_elements) tiling.back().along = Along::lanes;
      seen *= static_cast<std::size_t>(group.extent);
    }
    for (std::size_t i = 0; i + 1 < tiling.size(); ++i) tiling[i].along = Along::none;
    if (!tiling.empty() && tiling.back().along == Along::lanes)
      tiling.back().tile = tile_extent(tiling.back().group.extent,
                                       std::max(kScatterLanes / 4, writer.target().team));
    Emitter emitter(writer.context(), writer.kernel_name("updates"), found.space,
                    tile_count(tiling));
    write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
      const std::function<void(std::size_t)> step = [&](std::size_t level) {
        if (level == ordered.size()) return write(emitter);
        emitter.loop(ordered[level].extent, {}, [&](ValueId i, std::span<const ValueId>) {
          emitter.bind(ordered[level], i);
          step(level + 1);
          return std::vector<ValueId>{};
        });
      };
      step(0);
    });
    writer.add(std::move(emitter).finish());
  }
};

}  // namespace

void lower_scatter(RegionWriter& writer, std::uint32_t node) {
  const ir::Node& source = writer.graph().node(node);
  const auto& op = std::get<ir::Scatter>(source.op);
  const TensorType& type = writer.type({node, 0});
  const Argument result = writer.output_argument({node, 0});
  const bool accumulates = op.kind == ir::ScatterKind::add || op.kind == ir::ScatterKind::multiply;
  // Sums of narrow floats are rounded once, so they need wider memory.
  const bool is_widened = is_narrow_float(type.dtype) && accumulates;
  const TensorType total_type{is_widened ? DType::f32 : type.dtype, type.shape};
  const Argument total = is_widened ? writer.new_scratch(byte_size(total_type)) : result;
  write_copy(writer, source.operands[0], total, total_type);
  if (element_count(writer.type(source.operands[2]).shape) > 0)
    ScatterWriter{writer, source, op, total, total_type}.write_updates();
  if (!is_widened) return;
  lower_elements(writer, writer.context(), {{{node, 0}, result}}, "", [&](Emitter& emitter) {
    const Affine flat = row_major(emitter.space());
    const ValueId wide = emitter.load(emitter.buffer(total, total_type), Index{flat, {}, {}});
    emitter.set_known({node, 0}, emitter.builder().cast(wide, type.dtype), flat);
  });
}

}  // namespace tenon::lower

#include <algorithm>
#include <functional>

#include "tenon/base/error.h"
#include "tenon/lower/contraction_prefetch.h"
#include "tenon/lower/strip_writer.h"

// A padded input written out as a whole is read and written once more than needed, from memory
// that is slow. Here an instance pads the rows of the input that it needs for a strip of the
// result, into memory that stays in the first cache.
namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

constexpr std::int64_t kMostStripBytes = std::int64_t{1} << 17;
constexpr std::int64_t kGoodStripBytes = std::int64_t{40} << 10;
constexpr std::int64_t kLeastInstances = 32;

std::size_t axis_at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// [batch, spatial..., features] in memory, on both sides.
bool is_channels_last(const ir::Convolution& op) {
  const auto rank = static_cast<std::int64_t>(op.input_spatial.size()) + 2;
  if (op.input_batch != 0 || op.output_batch != 0) return false;
  if (op.input_feature != rank - 1 || op.output_feature != rank - 1) return false;
  for (std::size_t i = 0; i < op.input_spatial.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 1;
    if (op.input_spatial[i] != axis || op.output_spatial[i] != axis) return false;
  }
  return true;
}

// Rows are along the first spatial axis; each holds what the padded input has there.
struct Strips {
  std::int64_t row_elements = 1;
  std::int64_t step = 1;    // rows from one place of the result to the next
  std::int64_t window = 1;  // rows for one place
  std::int64_t rows_for(std::int64_t places) const { return (places - 1) * step + window; }
};

Strips strips_of(const Contraction& problem) {
  const ir::Convolution& op = *problem.padded->op;
  Strips strips;
  for (std::size_t axis = 2; axis < problem.lhs.type.shape.size(); ++axis)
    strips.row_elements *= problem.lhs.type.shape[axis];
  strips.step = op.strides[0];
  if (!problem.padded->phased.empty()) {
    for (const Taps& taps : problem.padded->phased[0].taps)
      strips.window = std::max(strips.window, taps.start + taps.count);
    return strips;
  }
  const std::uint32_t node = problem.result.node;
  const TensorType& kernel = problem.writer.type(problem.writer.graph().node(node).operands[1]);
  strips.window = (kernel.shape[axis_at(op.kernel_spatial[0])] - 1) * op.window_dilation[0] + 1;
  return strips;
}

const AxisGroup* strip_group(const Contraction& problem) {
  for (const AxisGroup& group : problem.groups)
    if (group.axes == std::vector{*problem.padded->strip_axis}) return &group;
  return nullptr;
}

std::int64_t choose_strip(const Contraction& problem, const Strips& strips, std::int64_t extent) {
  const auto element = static_cast<std::int64_t>(size_of(problem.lhs.type.dtype));
  std::int64_t most = 1;
  while (most < extent &&
         strips.rows_for(most + 1) * strips.row_elements * element <= kGoodStripBytes)
    ++most;
  const std::int64_t images = problem.lhs.type.shape[0];
  most = std::min(most, std::max<std::int64_t>(images * extent / kLeastInstances, 1));
  return divisor_within(extent, (most + 1) / 2, most).value_or(most);
}

}  // namespace

bool can_lower_in_strips(const Contraction& problem, const AxisGroup& rows) {
  if (!problem.padded || !problem.padded->strip_axis) return false;
  if (problem.writer.target().kind != Target::Kind::cpu) return false;
  if (!problem.writer.options().pad_in_strips) return false;
  const ir::Convolution& op = *problem.padded->op;
  const auto is_one = [](std::int64_t n) { return n == 1; };
  const auto is_negative = [](std::int64_t n) { return n < 0; };
  if (op.feature_groups != 1 || op.batch_groups != 1 || op.input_spatial.size() < 2 ||
      !is_channels_last(op))
    return false;
  if (problem.padded->phased.empty() &&
      (!std::ranges::all_of(op.base_dilation, is_one) || std::ranges::any_of(op.low, is_negative) ||
       std::ranges::any_of(op.high, is_negative)))
    return false;
  const AxisGroup* strip = strip_group(problem);
  // Rows of tiles are places within a strip: where those are few, rows may be images.
  if (strip == nullptr || rows.axes.front() <= strip->axes.front()) return false;
  const Strips strips = strips_of(problem);
  return strips.rows_for(1) * strips.row_elements *
             static_cast<std::int64_t>(size_of(problem.lhs.type.dtype)) <=
         kMostStripBytes;
}

namespace {

// What differs between the phases of a convolution whose input has gaps.
struct Phase {
  std::vector<std::pair<std::size_t, std::int64_t>> axes;  // of the space, and their positions
  std::vector<ContractedAxis> contracted;
  std::int64_t lhs_shift = 0, rhs_shift = 0;
};

// All combinations of the phases of the spatial axes; one that changes nothing if there are none.
std::vector<Phase> phases_of(const Contraction& problem, const TiledRhs& rhs) {
  std::vector<Phase> phases{{{}, rhs.axes, 0, 0}};
  const std::vector<PhasedAxis>& phased = problem.padded->phased;
  for (std::size_t i = 0; i < phased.size(); ++i) {
    std::vector<Phase> next;
    for (const Phase& phase : phases)
      for (std::size_t p = 0; p < phased[i].taps.size(); ++p) {
        const Taps& taps = phased[i].taps[p];
        Phase& one = next.emplace_back(phase);
        if (phased[i].axis) one.axes.emplace_back(*phased[i].axis, static_cast<std::int64_t>(p));
        one.lhs_shift += taps.start * rhs.axes[i].lhs;
        one.rhs_shift += taps.first * rhs.axes[i].rhs;
        one.contracted[i].extent = taps.count;
        one.contracted[i].rhs = phased[i].dilation * rhs.axes[i].rhs;
      }
    phases = std::move(next);
  }
  for (Phase& phase : phases) {
    const auto is_empty = [](const ContractedAxis& axis) { return axis.extent == 0; };
    if (std::ranges::any_of(phase.contracted, is_empty)) phase.contracted.clear();
  }
  return phases;
}

}  // namespace

void lower_in_strips(Contraction& problem, const AxisGroup& lanes, const AxisGroup& rows) {
  RegionWriter& writer = problem.writer;
  const PaddedInput& padded = *problem.padded;
  const AxisGroup& strip = *strip_group(problem);
  const Strips strips = strips_of(problem);
  const TensorType& input = writer.type(padded.input);
  const TileSize tile = choose_tile(writer.target(), problem.accumulate, rows.extent, lanes.extent);
  const TiledRhs rhs = prepare_rhs(problem, lanes, &rows, tile.lanes);

  const auto is_phase = [&](const AxisGroup& group) {
    return std::ranges::any_of(padded.phased, [&](const PhasedAxis& phased) {
      return phased.axis && group.axes == std::vector{*phased.axis};
    });
  };
  Tiling outer;
  std::size_t strip_place = 0;
  for (const AxisGroup& group : problem.groups) {
    if (&group == &lanes || &group == &rows || is_phase(group)) continue;
    if (&group == &strip) strip_place = outer.size();
    const bool is_strip = &group == &strip;
    outer.push_back(
        {group, is_strip ? choose_strip(problem, strips, group.extent) : 1, Along::none, is_strip});
  }
  Emitter emitter(writer.context(), writer.kernel_name(""), problem.space, tile_count(outer));
  const BufferId from = emitter.buffer(writer.input_argument(padded.input), input);
  TileProduct product;
  product.rhs = emitter.buffer(rhs.operand.memory, rhs.operand.type);
  // Memory of the instance comes after all arguments.
  for (const auto& [value, argument] : writer.context().memory) emitter.declare_input(value);
  for (const Destination& to : writer.outputs())
    emitter.buffer(to.argument, writer.type(to.value), true);
  product.lhs = emitter.builder().shared(
      "strip", input.dtype, strips.rows_for(outer[strip_place].tile) * strips.row_elements);
  Shape low = padded.op->low, high = padded.op->high;
  for (std::size_t i = 0; i < padded.phased.size(); ++i) {
    low[i] = padded.phased[i].low;
    high[i] = padded.phased[i].high;
  }
  const StripWriter strip_writer{emitter, low,        high, input.shape, problem.lhs.type.shape,
                                 from,    product.lhs};
  const std::vector<Phase> phases = phases_of(problem, rhs);
  // Where a tile's element lies in the strip, without its own row.
  Affine place = problem.lhs.place;
  const std::int64_t place_step = place.coefficients[strip.axes[0]];
  Affine image = constant_affine(problem.space, 0);
  const std::int64_t padded_image = row_major_strides(problem.lhs.type.shape)[0];
  const std::int64_t image_elements = row_major_strides(input.shape)[0];
  for (std::size_t axis = 0; axis < strip.axes[0]; ++axis) {
    image.coefficients[axis] = place.coefficients[axis] / padded_image * image_elements;
    place.coefficients[axis] = 0;
  }
  place.coefficients[strip.axes[0]] = 0;

  const Tiling lane_tiling{
      {lanes, rhs.panels ? tile.lanes : std::min(tile.lanes, lanes.extent), Along::lanes, false}};
  const Tiling row_tiling{{rows, tile.rows, Along::rows, false}};
  write_tile(emitter, outer, emitter.builder().instance(), [&](std::span<const TilePlace> places) {
    const TilePlace& at_strip = places[strip_place];
    const ValueId first = emitter.call(
        ScalarFunction::multiply, {at_strip.base, emitter.index_constant(DType::i64, strips.step)});
    strip_writer.write_rows(emitter.scalar(image), first, strips.rows_for(at_strip.size),
                            emitter.index_constant(DType::i64, 0));
    // The rows of the input that the next strip needs and this one has not.
    const std::int64_t source_row = row_major_strides(input.shape)[1];
    const std::int64_t new_rows = at_strip.size * strips.step;
    const ValueId next = stepped(
        emitter, emitter.scalar(image),
        emitter.call(ScalarFunction::add, {first, emitter.index_constant(DType::i64, new_rows)}),
        source_row);
    const auto write_row = [&](const Phase& phase, ValueId row) {
      emitter.bind(strip, emitter.call(ScalarFunction::add, {at_strip.base, row}));
      for (const auto& [axis, position] : phase.axes)
        emitter.bind({{axis}, problem.space[axis].extent, 0},
                     emitter.index_constant(DType::i64, position));
      emitter.repeat(tile_count(row_tiling), [&](ValueId row_tile) {
        if (&phase == &phases.front()) {
          const std::int64_t row_tiles = tile_count(row_tiling);
          const ValueId row_number = stepped(emitter, row, product.lanes.number, at_strip.size);
          prefetch_part(emitter, from, next, new_rows * source_row,
                        stepped(emitter, row_tile, row_number, row_tiles),
                        row_tiles * at_strip.size * tile_count(lane_tiling));
        }
        write_tile(emitter, row_tiling, row_tile, [&](std::span<const TilePlace> row_places) {
          product.rows = row_places[0].size;
          product.axes = phase.contracted;
          product.rhs_shift = phase.rhs_shift;
          set_product_frame(emitter, problem, rhs.panels.has_value(), product);
          const auto placed = emitter.place(place);
          check(placed.has_value(), "a convolution's input does not step evenly");
          product.lhs_offset = stepped(emitter, placed->offset, row, place_step);
          product.lhs_offset = emitter.call(
              ScalarFunction::add,
              {product.lhs_offset, emitter.index_constant(DType::i64, phase.lhs_shift)});
          product.lhs_row_step = placed->row_step;
          prefetch_epilogue(emitter, problem);
          write_epilogue(emitter, problem, multiply_tile(emitter, problem, rhs, product));
        });
      });
    };
    emitter.repeat(tile_count(lane_tiling), [&](ValueId lane_tile) {
      write_tile(emitter, lane_tiling, lane_tile, [&](std::span<const TilePlace> lane_places) {
        product.lanes = lane_places[0];
        emitter.repeat(at_strip.size, [&](ValueId row) {
          for (const Phase& phase : phases) emitter.scoped([&] { write_row(phase, row); });
        });
      });
    });
  });
  writer.add(std::move(emitter).finish());
}

}  // namespace tenon::lower

#include <functional>

#include "tenon/base/error.h"
#include "tenon/lower/contraction_prefetch.h"
#include "tenon/lower/contraction_sums.h"
#include "tenon/lower/strip_writer.h"

// The gradient of a convolution's kernel sums over all places of all images. Tile after tile, that
// would pass over both operands once for each tile, and over a padded copy of one. Here an instance
// takes some images, strip by strip: while a strip is in the first cache, it goes into all tiles,
// whose sums wait in memory in between.
namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

// The blocks' sums as one, in the order they lie in memory.
Argument add_blocks(const Contraction& problem, const Argument& partials, std::int64_t blocks) {
  RegionWriter& writer = problem.writer;
  const std::int64_t count = problem.result_count();
  const TensorType type{problem.accumulate, {blocks, count}},
      total_type{problem.accumulate, {count}};
  const Argument total = writer.new_scratch(byte_size(total_type));
  const Space space = space_of(total_type.shape);
  const Tiling tiling{{{{0}, count, 0}, tile_extent(count, 64), Along::lanes, false}};
  Emitter emitter(writer.context(), writer.kernel_name("sum"), space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace> places) {
    const std::int64_t lanes = emitter.frame().lanes;
    const ValueId parts = emitter.builder().load({emitter.buffer(partials, type), places[0].base,
                                                  count, 1, blocks, emitter.frame().active_lanes},
                                                 blocks, lanes);
    emitter.store(
        emitter.buffer(total, total_type, true), row_major(space),
        emitter.builder().fold(ScalarFunction::add, kernel::FoldAxis::rows, parts, blocks));
  });
  writer.add(std::move(emitter).finish());
  return total;
}

// The sums of the blocks, or their total where that lies in another order, as the result.
void write_sums(Contraction& problem, const Argument& partials, std::int64_t blocks,
                bool is_swapped, std::int64_t features) {
  RegionWriter& writer = problem.writer;
  const std::int64_t count = problem.result_count();
  const Argument sums = is_swapped ? add_blocks(problem, partials, blocks) : partials;
  const TensorType type{problem.accumulate, {is_swapped ? 1 : blocks, count}};
  const auto prepare = [&](Emitter& e) {
    const Affine flat = row_major(e.space());
    const BufferId from = e.buffer(sums, type);
    ValueId total;
    if (is_swapped) {
      const Index place{flat, {}, {}};
      total = e.load(from, e.add(e.divide(place, features),
                                 e.scale(e.modulo(place, features), count / features)));
    } else {
      const auto at = e.place(flat);
      check(at.has_value(), "sums are not read in order");
      e.note_form(flat, true);
      const ValueId parts =
          e.builder().load({from, at->offset, count, at->lane_step, blocks, e.frame().active_lanes},
                           blocks, e.frame().lanes);
      total = e.builder().fold(ScalarFunction::add, kernel::FoldAxis::rows, parts, blocks);
    }
    e.set_known(problem.result, e.builder().cast(total, writer.type(problem.result).dtype), flat);
  };
  lower_elements(writer, writer.context(), writer.outputs(), "", prepare);
}

// Where the result's elements wait in a block's memory: the tile's lanes one after the other.
Affine sums_place(const Contraction& problem, const AxisGroup& other, bool is_swapped) {
  Affine place = row_major(problem.space);
  if (!is_swapped) return place;
  const std::int64_t outer = problem.result_count() / other.extent;
  for (std::size_t i = 0; i < problem.space.size(); ++i) {
    if (std::ranges::count(other.axes, i) > 0)
      place.coefficients[i] *= outer;
    else
      place.coefficients[i] /= other.extent;
  }
  return place;
}

}  // namespace

void sum_in_strips(Contraction& problem) {
  RegionWriter& writer = problem.writer;
  const PaddedInput& padded = *problem.padded;
  const TensorType& input = writer.type(padded.input);
  const SumWalk walk = walk_over(problem);
  const SumGroups groups = *find_sum_groups(problem);
  SumTile tile = choose_sum_tile(writer.target(), problem.accumulate, groups.input->extent,
                                 groups.other->extent);
  SumTile swapped = choose_sum_tile(writer.target(), problem.accumulate, groups.other->extent,
                                    groups.input->extent);
  swapped.is_swapped = true;
  if (swapped.cost < tile.cost) tile = swapped;
  const AxisGroup& lanes = tile.is_swapped ? *groups.input : *groups.other;
  const AxisGroup& rows = tile.is_swapped ? *groups.other : *groups.input;

  const std::int64_t count = problem.result_count();
  const TensorType sums_type{problem.accumulate, {walk.blocks, count}};
  const Argument partials = writer.new_scratch(byte_size(sums_type));
  Emitter emitter(writer.context(), writer.kernel_name("partial"), problem.space, walk.blocks);
  const BufferId from = emitter.buffer(writer.input_argument(padded.input), input);
  const BufferId other = emitter.buffer(problem.rhs.memory, problem.rhs.type);
  const BufferId sums = emitter.buffer(partials, sums_type, true);
  const BufferId strip =
      emitter.builder().shared("strip", input.dtype, walk.images_at_once * walk.strip_elements());
  const StripWriter strip_writer{
      emitter, padded.op->low, padded.op->high, input.shape, problem.lhs.type.shape, from, strip};
  const Affine place = sums_place(problem, *groups.other, tile.is_swapped);
  Tiling tiling = outer_groups(problem, &lanes, &rows);
  tiling.push_back({lanes, std::min(tile.size.lanes, lanes.extent), Along::lanes, false});
  tiling.push_back({rows, tile.size.rows, Along::rows, false});

  const auto constant = [&](std::int64_t n) { return emitter.index_constant(DType::i64, n); };
  const auto plus = [&](ValueId a, ValueId b) { return emitter.call(ScalarFunction::add, {a, b}); };
  const ValueId block = emitter.builder().instance();
  const ValueId first_sum = stepped(emitter, constant(0), block, count);
  emitter.builder().store({sums, first_sum, count, 1, 1, count},
                          emitter.constant(problem.accumulate, 0));
  const std::int64_t block_images = walk.images.extent / walk.blocks;
  const ValueId first_image = stepped(emitter, constant(0), block, block_images);
  const std::int64_t image_elements = row_major_strides(input.shape)[0];
  const std::int64_t source_row = row_major_strides(input.shape)[1];

  // The strip of some rows of places goes into every tile.
  const auto add_strip = [&](ValueId image, ValueId first_row, std::int64_t row_count) {
    emitter.repeat(walk.images_at_once, [&](ValueId i) {
      strip_writer.write_rows(stepped(emitter, constant(0), plus(image, i), image_elements),
                              stepped(emitter, constant(0), first_row, walk.row_step),
                              walk.rows_for(row_count),
                              stepped(emitter, constant(0), i, walk.strip_elements()));
    });
    std::vector<ContractedAxis> axes{{walk.images_at_once, walk.strip_elements(), walk.images.rhs}};
    axes.insert(axes.end(), walk.spatial.begin(), walk.spatial.end());
    axes[1].extent = row_count;
    if (tile.is_swapped)
      for (ContractedAxis& axis : axes) std::swap(axis.lhs, axis.rhs);
    // Where the next strip lies in both operands.
    const bool takes_images = walk.rows_at_once == walk.spatial[0].extent;
    const std::int64_t input_step = takes_images ? walk.images_at_once * image_elements
                                                 : walk.rows_at_once * walk.row_step * source_row;
    const std::int64_t other_step = takes_images ? walk.images_at_once * walk.images.rhs
                                                 : walk.rows_at_once * walk.spatial[0].rhs;
    const ValueId next_input =
        plus(stepped(emitter, stepped(emitter, constant(0), image, image_elements), first_row,
                     walk.row_step * source_row),
             constant(input_step));
    const ValueId next_other =
        plus(stepped(emitter, stepped(emitter, constant(0), image, walk.images.rhs), first_row,
                     walk.spatial[0].rhs),
             constant(other_step));
    emitter.repeat(tile_count(tiling), [&](ValueId number) {
      prefetch_part(emitter, from, next_input, input_step, number, tile_count(tiling));
      prefetch_part(emitter, other, next_other, other_step, number, tile_count(tiling));
      write_tile(emitter, tiling, number, [&](std::span<const TilePlace> places) {
        const std::int64_t tile_rows = places.back().size;
        const std::int64_t tile_lanes = places[places.size() - 2].size;
        emitter.set_frame({tile_rows, tile_lanes, tile_rows, tile_lanes});
        const auto input_place = emitter.place(problem.lhs.place);
        const auto other_place = emitter.place(problem.rhs.place);
        const auto sum_place = emitter.place(place);
        check(input_place && other_place && sum_place, "sums over places do not step evenly");
        const ValueId other_offset =
            stepped(emitter, stepped(emitter, other_place->offset, image, walk.images.rhs),
                    first_row, walk.spatial[0].rhs);
        const kernel::Access access{sums,
                                    plus(first_sum, sum_place->offset),
                                    sum_place->row_step,
                                    sum_place->lane_step,
                                    tile_rows,
                                    tile_lanes};
        kernel::Contract contract;
        contract.lhs = tile.is_swapped ? other : strip;
        contract.rhs = tile.is_swapped ? strip : other;
        contract.lhs_row_stride = tile.is_swapped ? other_place->row_step : input_place->row_step;
        contract.rhs_lane_stride = 1;
        contract.active_rows = tile_rows;
        contract.active_lanes = tile_lanes;
        const ValueId before = emitter.builder().load(access, tile_rows, tile_lanes);
        contract.lhs_offset = tile.is_swapped ? other_offset : input_place->offset;
        contract.rhs_offset = tile.is_swapped ? input_place->offset : other_offset;
        const ValueId after = contract_axes(emitter, axes, contract, before);
        emitter.builder().store(access, after);
      });
    });
  };
  const Tiling strips{{{{}, walk.spatial[0].extent, 0}, walk.rows_at_once, Along::none, true}};
  emitter.repeat(block_images / walk.images_at_once, [&](ValueId i) {
    const ValueId image = stepped(emitter, first_image, i, walk.images_at_once);
    emitter.repeat(tile_count(strips), [&](ValueId number) {
      write_tile(emitter, strips, number, [&](std::span<const TilePlace> places) {
        add_strip(image, places[0].base, places[0].size);
      });
    });
  });
  writer.add(std::move(emitter).finish());
  write_sums(problem, partials, walk.blocks, tile.is_swapped, groups.other->extent);
}

}  // namespace tenon::lower

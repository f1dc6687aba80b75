#include <algorithm>
#include <functional>

#include "tenon/base/error.h"
#include "tenon/lower/strip_writer.h"

// The gradient of a convolution's kernel sums over all places of all images. Tile after tile, that
// would pass over both operands once for each tile, and over a padded copy of one. Here an instance
// takes some images, strip by strip: while a strip is in the first cache, it goes into all tiles,
// whose sums wait in memory in between.
namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

constexpr std::int64_t kLeastSumDepth = 1024;  // of all places; less is not worth a second kernel
constexpr std::int64_t kLeastSumBlockDepth = 512;
constexpr std::int64_t kMostSumBlocks = 32;
constexpr std::int64_t kMostSums = 131072;  // of one block
constexpr std::int64_t kMostSumStripBytes = std::int64_t{1} << 17;
constexpr std::int64_t kLeastSumPlaces = 64, kMostSumPlaces = 256;  // between loading sums
constexpr std::int64_t kGoodSumBytes = std::int64_t{32} << 10;      // of what a tile reads
constexpr std::int64_t kMostSumVectors = 4;                         // of a row of a tile

std::size_t index_of(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// [images, spatial..., features] in memory, the images summed over.
bool sums_over_images(const ir::Convolution& op) {
  const std::size_t spatial = op.input_spatial.size();
  if (spatial < 2 || op.input_feature != 0) return false;
  if (op.input_batch != static_cast<std::int64_t>(spatial) + 1) return false;
  for (std::size_t i = 0; i < spatial; ++i)
    if (op.input_spatial[i] != static_cast<std::int64_t>(i) + 1) return false;
  return true;
}

std::int64_t choose_sum_blocks(std::int64_t images, std::int64_t depth) {
  if (depth < kLeastSumDepth) return 1;
  return divisor_within(images, 2, std::min(kMostSumBlocks, depth / kLeastSumBlockDepth))
      .value_or(1);
}

// Sums of rows x lanes of a tile; lanes are features of the padded input if they are swapped.
struct SumTile {
  bool is_swapped = false;
  TileSize size;
  double cost = 0;
};

// Measured: a multiply-add with an operand in memory takes a third longer than one in registers.
SumTile choose_sum_tile(const Target& target, DType accumulate, std::int64_t rows,
                        std::int64_t lanes) {
  const std::int64_t vector = std::max<std::int64_t>(
      target.vector_bytes / static_cast<std::int64_t>(size_of(accumulate)), 1);
  const std::int64_t vectors = (lanes + vector - 1) / vector;
  std::optional<SumTile> best;
  for (std::int64_t widest = 1; widest <= std::min(vectors, kMostSumVectors); ++widest) {
    const std::int64_t tiles = (vectors + widest - 1) / widest;
    const std::int64_t wide = (vectors + tiles - 1) / tiles;
    const std::int64_t most = (target.registers - 1 - wide) / wide;
    if (most < 1) break;
    const std::int64_t row_tiles = (rows + most - 1) / most;
    const std::int64_t tall = rows <= most ? rows
                                           : divisor_within(rows, (most * 3 + 4) / 5, most)
                                                 .value_or((rows + row_tiles - 1) / row_tiles);
    const auto number = [](std::int64_t n) { return static_cast<double>(n); };
    const double loads = number(wide + tall) / number(wide * tall);
    const double idle = std::max(8.0 / number(wide * tall), 1.0);  // multiply-adds take four cycles
    const double wasted = number(vectors * vector) / number(lanes);
    const SumTile tile{false, {tall, wide * vector}, (1 + 0.3 * loads) * idle * wasted};
    if (!best || tile.cost < best->cost) best = tile;
  }
  return *best;
}

struct SumGroups {
  const AxisGroup* input = nullptr;  // features (and more) of the padded input, contiguous
  const AxisGroup* other = nullptr;  // of the other operand, contiguous and last in the result
};

std::optional<SumGroups> find_sum_groups(const Contraction& problem) {
  SumGroups found;
  for (const AxisGroup& group : problem.groups) {
    switch (role_of(problem, group)) {
      case GroupRole::batch: return std::nullopt;
      case GroupRole::rows:
        if (step_of(problem.lhs.place, group, problem.space) == 1) found.input = &group;
        break;
      case GroupRole::lanes:
        if (found.other != nullptr) return std::nullopt;
        found.other = &group;
        break;
    }
  }
  if (found.input == nullptr || found.other != &problem.groups.back()) return std::nullopt;
  if (step_of(problem.rhs.place, *found.other, problem.space) != 1) return std::nullopt;
  return found;
}

// Everything about the walk over the images that depends on shapes alone.
struct SumWalk {
  ContractedAxis images;
  std::vector<ContractedAxis> spatial;
  std::int64_t row_elements = 1;  // of the padded input, along the first spatial axis
  std::int64_t window = 1;        // rows that a place needs
  std::int64_t blocks = 1;
  std::int64_t images_at_once = 1, rows_at_once = 1;
  std::int64_t row_step = 1;  // rows from one place to the next

  std::int64_t rows_for(std::int64_t places) const { return (places - 1) * row_step + window; }
  std::int64_t strip_elements() const { return rows_for(rows_at_once) * row_elements; }
};

SumWalk walk_over(const Contraction& problem) {
  const ir::Convolution& op = *problem.padded->op;
  const ir::Node& node = problem.writer.graph().node(problem.result.node);
  const Shape& kernel = problem.writer.type(node.operands[1]).shape;
  const Shape& result = problem.writer.type(problem.result).shape;
  const Shape& padded = problem.lhs.type.shape;
  const Shape input_strides = row_major_strides(padded), kernel_strides = row_major_strides(kernel);
  const auto kernel_axis = [&](std::int64_t axis) { return kernel_strides[index_of(axis)]; };
  SumWalk walk;
  walk.images = {kernel[index_of(op.kernel_input)], input_strides[0], kernel_axis(op.kernel_input)};
  for (std::size_t i = 0; i < op.input_spatial.size(); ++i)
    walk.spatial.push_back({kernel[index_of(op.kernel_spatial[i])],
                            op.window_dilation[i] * input_strides[index_of(op.input_spatial[i])],
                            kernel_axis(op.kernel_spatial[i])});
  walk.row_elements = input_strides[1];
  walk.row_step = op.window_dilation[0];
  walk.window = (result[index_of(op.output_spatial[0])] - 1) * op.strides[0] + 1;
  std::int64_t row_places = 1;
  for (std::size_t i = 1; i < walk.spatial.size(); ++i) row_places *= walk.spatial[i].extent;
  const std::int64_t rows = walk.spatial[0].extent;
  walk.blocks = choose_sum_blocks(walk.images.extent, walk.images.extent * rows * row_places);
  // Features of a place, of which a tile reads one window.
  const auto element = static_cast<std::int64_t>(size_of(problem.lhs.type.dtype));
  const std::int64_t place_bytes = std::min<std::int64_t>(padded.back() * element, 192);
  const std::int64_t places =
      std::clamp(kGoodSumBytes / place_bytes, kLeastSumPlaces, kMostSumPlaces);
  const std::int64_t most_rows = std::max<std::int64_t>(places / row_places, 1);
  walk.rows_at_once =
      rows <= most_rows ? rows
                        : divisor_within(rows, (most_rows + 1) / 2, most_rows).value_or(most_rows);
  if (walk.rows_at_once == rows) {
    const std::int64_t block_images = walk.images.extent / walk.blocks;
    const std::int64_t strip = walk.strip_elements() * element;
    walk.images_at_once =
        divisor_within(block_images, 1,
                       std::min(std::max<std::int64_t>(places / (rows * row_places), 1),
                                std::max<std::int64_t>(kMostSumStripBytes / strip, 1)))
            .value_or(1);
  }
  return walk;
}

}  // namespace

bool can_sum_in_strips(const Contraction& problem) {
  if (!problem.padded || !problem.padded->phased.empty()) return false;
  if (problem.writer.target().kind != Target::Kind::cpu) return false;
  const ir::Convolution& op = *problem.padded->op;
  const auto is_one = [](std::int64_t n) { return n == 1; };
  const auto is_negative = [](std::int64_t n) { return n < 0; };
  if (op.feature_groups != 1 || op.batch_groups != 1 || !sums_over_images(op)) return false;
  if (!std::ranges::all_of(op.base_dilation, is_one) || std::ranges::any_of(op.low, is_negative) ||
      std::ranges::any_of(op.high, is_negative))
    return false;
  if (!is_float(problem.accumulate) || problem.result_count() > kMostSums) return false;
  if (!find_sum_groups(problem)) return false;
  const SumWalk walk = walk_over(problem);
  return walk.blocks > 1 &&
         walk.strip_elements() * static_cast<std::int64_t>(size_of(problem.lhs.type.dtype)) <=
             kMostSumStripBytes;
}

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

// Products of one tile at all places of a strip, added to what is there.
struct SumContractor {
  Emitter& emitter;
  const std::vector<ContractedAxis>& axes;  // outermost first; lhs and rhs as the contract's
  kernel::Contract contract;                // all but offsets and accumulator

  ValueId run(std::size_t level, ValueId lhs, ValueId rhs, ValueId accumulator) {
    const ContractedAxis& axis = axes[level];
    if (level + 1 == axes.size()) {
      kernel::Contract step = contract;
      step.lhs_offset = lhs;
      step.rhs_offset = rhs;
      step.depth = axis.extent;
      step.lhs_depth_stride = axis.lhs;
      step.rhs_depth_stride = axis.rhs;
      step.accumulator = accumulator;
      return emitter.builder().contract(step);
    }
    const auto body = [&](ValueId i, std::span<const ValueId> carried) {
      return std::vector{run(level + 1, stepped(emitter, lhs, i, axis.lhs),
                             stepped(emitter, rhs, i, axis.rhs), carried[0])};
    };
    return emitter.loop(axis.extent, std::array{accumulator}, body)[0];
  }
};

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
  const auto repeat = [&](std::int64_t times, const std::function<void(ValueId)>& body) {
    emitter.loop(times, {}, [&](ValueId i, std::span<const ValueId>) {
      body(i);
      return std::vector<ValueId>{};
    });
  };
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
    repeat(walk.images_at_once, [&](ValueId i) {
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
    repeat(tile_count(tiling), [&](ValueId number) {
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
        SumContractor contractor{emitter, axes, contract};
        const ValueId after =
            contractor.run(0, tile.is_swapped ? other_offset : input_place->offset,
                           tile.is_swapped ? input_place->offset : other_offset, before);
        emitter.builder().store(access, after);
      });
    });
  };
  const Tiling strips{{{{}, walk.spatial[0].extent, 0}, walk.rows_at_once, Along::none, true}};
  repeat(block_images / walk.images_at_once, [&](ValueId i) {
    const ValueId image = stepped(emitter, first_image, i, walk.images_at_once);
    repeat(tile_count(strips), [&](ValueId number) {
      write_tile(emitter, strips, number, [&](std::span<const TilePlace> places) {
        add_strip(image, places[0].base, places[0].size);
      });
    });
  });
  writer.add(std::move(emitter).finish());
  write_sums(problem, partials, walk.blocks, tile.is_swapped, groups.other->extent);
}

}  // namespace tenon::lower

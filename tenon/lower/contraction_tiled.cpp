#include <algorithm>

#include "tenon/base/error.h"
#include "tenon/lower/contraction.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr std::int64_t kLeastBlockDepth = 512;  // of one block
constexpr std::int64_t kMostBlocks = 16;
constexpr std::int64_t kFewResults = 16384;  // with more there is enough to do side by side
// More operand bytes than this leave the second cache between one tile and the next, which reads
// them again.
constexpr std::int64_t kCachedBytes = std::int64_t{1} << 19;
constexpr std::int64_t kPackedDepth = 128;  // of lhs: a tile's columns fill the first cache
constexpr std::int64_t kPackedReads = 4;    // tiles that read a packed panel of lhs
constexpr std::int64_t kChunkBytes = std::int64_t{1} << 18;  // of rows of lhs that stay in a cache
constexpr std::int64_t kLeastChunkTiles = 4, kMostChunkTiles = 16;

}  // namespace

// Accumulators fill most of the registers, two vectors of lanes wide where there are that many
// lanes.
TileSize choose_tile(const Target& target, DType accumulate, std::int64_t rows,
                     std::int64_t lanes) {
  if (target.kind == Target::Kind::cuda)
    return {std::min<std::int64_t>(rows, 8),
            std::min(lanes, std::max<std::int64_t>(target.team, 32))};
  const std::int64_t vector = std::max<std::int64_t>(
      target.vector_bytes / static_cast<std::int64_t>(size_of(accumulate)), 1);
  if (!target.options.fill_registers) return {1, vector};
  TileSize tile;
  const std::int64_t widest = rows == 1 ? 8 : 2;
  tile.lanes = std::min(ceil_divide(lanes, vector), widest) * vector;
  const std::int64_t vectors = tile.lanes / vector;
  const std::int64_t most = std::max<std::int64_t>((target.registers - 2 - vectors) / vectors, 1);
  if (rows <= most) {
    tile.rows = rows;
  } else {
    // Equal tiles if they are not much smaller, else a smaller last one.
    const std::int64_t tiles = ceil_divide(rows, most);
    tile.rows = divisor_within(rows, (most * 3 + 4) / 5, most).value_or(ceil_divide(rows, tiles));
  }
  return tile;
}

namespace {

// Each step along the depth reads a few neighbours of another cache line, far from the last.
bool should_pack_lhs(const Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows,
                     const TileSize& tile) {
  if (problem.writer.target().kind == Target::Kind::cuda || rows == nullptr ||
      !problem.writer.options().pack_operands)
    return false;
  const ContractedAxis& depth = problem.contracted.back();
  return *step_of(problem.lhs.place, *rows, problem.space) == 1 && depth.lhs >= 2 * tile.rows &&
         depth.extent >= kPackedDepth && lanes.extent >= kPackedReads * tile.lanes &&
         rows->extent > tile.rows;
}

// By shape alone: the number of blocks that the outermost contracted axis is cut into. All tiles of
// a block are computed before those of the next, so that its operands stay in the cache.
std::int64_t choose_blocks(const Contraction& problem) {
  if (!problem.writer.options().cut_long_sums) return 1;
  const std::int64_t depth = problem.contracted_count();
  const std::int64_t results = problem.result_count();
  if (depth < kLongDepth || results > kMostBlockedResults) return 1;
  const std::int64_t most = std::min(kMostBlocks, depth / kLeastBlockDepth);
  const std::int64_t outermost = problem.contracted.front().extent;
  if (results <= kFewResults) return divisor_within(outermost, 2, most).value_or(1);
  const std::int64_t bytes = byte_size(problem.lhs.type) + byte_size(problem.rhs.type);
  for (std::int64_t blocks = ceil_divide(bytes, kCachedBytes); blocks <= most; ++blocks)
    if (outermost % blocks == 0) return blocks;
  return divisor_within(outermost, 2, most).value_or(1);
}

// Neighbouring instances share a chunk of rows, all of whose lanes come before the next chunk. So a
// thread, which is given neighbours, reads and writes the same rows in one kernel after another,
// and they stay in its cache; panels of rhs stay in the first cache for the rows of a chunk.
class TileOrder {
 public:
  TileOrder(const Contraction& problem, std::int64_t lane_tiles, std::int64_t row_tiles,
            std::int64_t row_bytes)
      : lane_tiles_(lane_tiles), row_tiles_(row_tiles) {
    if (problem.writer.target().kind == Target::Kind::cuda || lane_tiles < 2 ||
        !problem.writer.options().chunk_rows)
      return;
    const std::int64_t most = std::clamp<std::int64_t>(kChunkBytes / row_bytes, 1, kMostChunkTiles);
    chunk_ = divisor_within(row_tiles, std::min<std::int64_t>(most, kLeastChunkTiles), most)
                 .value_or(row_tiles);
  }

  // The tile that an instance computes, in the order of the tiling: lanes, then rows.
  ValueId tile(Emitter& emitter, ValueId number) const {
    if (chunk_ == row_tiles_) return number;
    const auto constant = [&](std::int64_t value) {
      return emitter.index_constant(DType::i64, value);
    };
    const auto split = [&](ValueId value, std::int64_t by) {
      return std::pair{emitter.call(ScalarFunction::divide, {value, constant(by)}),
                       emitter.call(ScalarFunction::remainder, {value, constant(by)})};
    };
    const auto [outer, within] = split(number, lane_tiles_ * row_tiles_);
    const auto [chunk, in_chunk] = split(within, lane_tiles_ * chunk_);
    const auto [lane, row] = split(in_chunk, chunk_);
    const ValueId start = stepped(emitter, row, outer, lane_tiles_ * row_tiles_);
    return stepped(emitter, stepped(emitter, start, chunk, chunk_), lane, row_tiles_);
  }

 private:
  std::int64_t lane_tiles_, row_tiles_;
  std::int64_t chunk_ = row_tiles_;  // tiles of rows
};

}  // namespace

ValueId contract_axes(Emitter& emitter, std::span<const ContractedAxis> axes,
                      const kernel::Contract& contract, ValueId accumulator) {
  kernel::Contract step = contract;
  step.accumulator = accumulator;
  if (axes.size() == 1) {
    step.depth = axes[0].extent;
    step.lhs_depth_stride = axes[0].lhs;
    step.rhs_depth_stride = axes[0].rhs;
    return emitter.builder().contract(step);
  }
  const auto body = [&](ValueId i, std::span<const ValueId> carried) {
    step.lhs_offset = stepped(emitter, contract.lhs_offset, i, axes[0].lhs);
    step.rhs_offset = stepped(emitter, contract.rhs_offset, i, axes[0].rhs);
    return std::vector{contract_axes(emitter, axes.subspan(1), step, carried[0])};
  };
  return emitter.loop(axes[0].extent, std::array{accumulator}, body)[0];
}

TiledRhs prepare_rhs(const Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows,
                     std::int64_t tile_lanes) {
  if (should_pack(problem, lanes, rows, tile_lanes)) {
    Panels panels = pack_rhs(problem, lanes, tile_lanes);
    TiledRhs rhs{{}, panels.operand, panels.contracted, 1};
    rhs.panels = std::move(panels);
    return rhs;
  }
  return {{}, problem.rhs, problem.contracted, *step_of(problem.rhs.place, lanes, problem.space)};
}

namespace {

std::int64_t whole_vectors(const Contraction& problem, std::int64_t lanes) {
  const Target& target = problem.writer.target();
  if (target.kind != Target::Kind::cpu) return lanes;
  const std::int64_t vector = std::max<std::int64_t>(
      target.vector_bytes / static_cast<std::int64_t>(size_of(problem.accumulate)), 1);
  return ceil_divide(lanes, vector) * vector;
}

}  // namespace

void set_product_frame(Emitter& emitter, const Contraction& problem, bool has_panels,
                       const TileProduct& tile) {
  const std::int64_t lanes = tile.lanes.size;
  emitter.set_frame(
      {tile.rows, has_panels ? whole_vectors(problem, lanes) : lanes, tile.rows, lanes});
}

ValueId multiply_tile(Emitter& emitter, const Contraction& problem, const TiledRhs& rhs,
                      const TileProduct& tile) {
  const ValueId start =
      tile.start ? *tile.start : emitter.full_tile(emitter.constant(problem.accumulate, 0));
  if (tile.axes.empty()) return start;
  ValueId lhs_offset = tile.lhs_offset;
  ValueId rhs_offset = tile.rhs_offset ? *tile.rhs_offset
                       : rhs.panels    ? stepped(emitter, emitter.scalar(rhs.panels->outer),
                                                 tile.lanes.number, rhs.panels->panel_size)
                                       : emitter.place(problem.rhs.place)->offset;
  const ContractedAxis& outermost = tile.axes.front();
  if (tile.block) {
    lhs_offset = stepped(emitter, lhs_offset, *tile.block, outermost.extent * outermost.lhs);
    rhs_offset = stepped(emitter, rhs_offset, *tile.block, outermost.extent * outermost.rhs);
  }
  rhs_offset = emitter.call(ScalarFunction::add,
                            {rhs_offset, emitter.index_constant(DType::i64, tile.rhs_shift)});
  kernel::Contract contract;
  contract.lhs = tile.lhs;
  contract.rhs = tile.rhs;
  contract.lhs_row_stride = tile.lhs_row_step;
  contract.rhs_lane_stride = rhs.lane_step;
  contract.active_rows = tile.rows;
  contract.active_lanes = emitter.frame().lanes;
  contract.lhs_offset = lhs_offset;
  contract.rhs_offset = rhs_offset;
  return contract_axes(emitter, tile.axes, contract, start);
}

void lower_tiled(Contraction& problem, const AxisGroup& lanes, const AxisGroup* rows) {
  RegionWriter& writer = problem.writer;
  const TileSize tile = choose_tile(writer.target(), problem.accumulate,
                                    rows == nullptr ? 1 : rows->extent, lanes.extent);
  const TiledRhs rhs = prepare_rhs(problem, lanes, rows, tile.lanes);
  std::optional<Panels> packed_lhs;
  if (should_pack_lhs(problem, lanes, rows, tile)) {
    Contraction swapped = problem;
    swap_operands(swapped);
    packed_lhs =
        pack_rhs(swapped, swapped.groups[static_cast<std::size_t>(rows - problem.groups.data())],
                 tile.rows, "pack_lhs");
  }

  Tiling tiling = outer_groups(problem, &lanes, rows);
  const std::size_t lane_place = tiling.size();
  tiling.push_back({lanes, std::min(tile.lanes, lanes.extent), Along::lanes, false});
  if (rhs.panels) tiling.back().tile = tile.lanes;
  if (rows != nullptr) tiling.push_back({*rows, tile.rows, Along::rows, false});
  const std::int64_t blocks = choose_blocks(problem);
  const std::int64_t tiles = tile_count(tiling);

  const TensorType partial_type{problem.accumulate, {blocks, problem.result_count()}};
  Argument partials;
  if (blocks > 1) partials = writer.new_scratch(byte_size(partial_type));
  Emitter emitter(writer.context(), writer.kernel_name(blocks > 1 ? "partial" : ""), problem.space,
                  tiles * blocks);
  TileProduct product;
  const ContractionOperand& lhs = packed_lhs ? packed_lhs->operand : problem.lhs;
  product.lhs = emitter.buffer(lhs.memory, lhs.type);
  product.rhs = emitter.buffer(rhs.operand.memory, rhs.operand.type);
  product.axes = rhs.axes;
  for (std::size_t i = 0; packed_lhs && i < product.axes.size(); ++i)
    product.axes[i].lhs = packed_lhs->contracted[i].rhs;
  product.axes.front().extent /= blocks;
  const ValueId instance = emitter.builder().instance();
  const ValueId count = emitter.index_constant(DType::i64, tiles);
  const ValueId block = emitter.call(ScalarFunction::divide, {instance, count});
  const ValueId number = emitter.call(ScalarFunction::remainder, {instance, count});
  product.block = block;
  const std::int64_t row_tiles = rows == nullptr ? 1 : tiling.back().count();
  const TileOrder order(problem, tiling[lane_place].count(), row_tiles,
                        tile.rows * problem.contracted_count() / blocks *
                            static_cast<std::int64_t>(size_of(problem.lhs.type.dtype)));
  write_tile(emitter, tiling, order.tile(emitter, number), [&](std::span<const TilePlace> places) {
    product.rows = rows == nullptr ? 1 : places.back().size;
    product.lanes = places[lane_place];
    set_product_frame(emitter, problem, rhs.panels.has_value(), product);
    if (packed_lhs) {
      product.lhs_offset = stepped(emitter, emitter.scalar(packed_lhs->outer), places.back().number,
                                   packed_lhs->panel_size);
      product.lhs_row_step = 1;
    } else {
      const auto lhs_place = emitter.place(problem.lhs.place);
      check(lhs_place.has_value(), "a contraction's operand does not step evenly");
      product.lhs_offset = lhs_place->offset;
      product.lhs_row_step = lhs_place->row_step;
    }
    const ValueId total = multiply_tile(emitter, problem, rhs, product);
    if (blocks == 1) return write_epilogue(emitter, problem, total);
    Affine place = row_major(problem.space);
    place.runtime.push_back({block, problem.result_count(), {0, blocks - 1}});
    emitter.store(emitter.buffer(partials, partial_type, true), place, total);
  });
  writer.add(std::move(emitter).finish());
  if (blocks == 1) return;

  const auto prepare = [&](Emitter& e) {
    const Affine flat = row_major(e.space());
    const auto at = e.place(flat);
    check(at.has_value(), "partial results are not read in order");
    e.note_form(flat, true);
    const ValueId parts =
        e.builder().load({e.buffer(partials, partial_type), at->offset, problem.result_count(),
                          at->lane_step, blocks, e.frame().active_lanes},
                         blocks, e.frame().lanes);
    const ValueId total =
        e.builder().fold(ScalarFunction::add, kernel::FoldAxis::rows, parts, blocks);
    e.set_known(problem.result, e.builder().cast(total, writer.type(problem.result).dtype), flat);
  };
  lower_elements(writer, writer.context(), writer.outputs(), "", prepare);
}

}  // namespace tenon::lower

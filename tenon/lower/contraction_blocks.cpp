#include <algorithm>
#include <functional>

#include "tenon/lower/contraction_blocks.h"
#include "tenon/lower/contraction_prefetch.h"

// Products whose operands do not stay in a cache from one tile to the next. An instance has several
// tiles, and takes all of them through one block of the contracted axis before the next: what a
// block needs stays in the second cache, and the sums wait in memory of the instance. Every element
// is still one chain in the order of the axis.
//
// A right operand of which a block is read by many tiles of rows is copied, a block at a time, into
// panels that stay in the first cache: in whole lines, one after another. Panels of the whole
// operand would take a trip through memory, which is often longer than the product itself.
// So is one that few rows read where it would be copied whole otherwise (MLP with two layers of
// 2048, batch 32: 17 MiB of workspace, of which 1 MiB is left, and a fifth of the step). Operands
// that both lie across the contracted axis (a weight gradient: rows of samples) are read where they
// lie, unless rows of the right one meet in the cache (256 x 1024, depth 2048, AVX-512, one thread:
// 155 GFLOP/s in panels, 116 without) or are nearly a page apart (an LSTM of 247 units, batch 96: 8
// % of the step); others are slower in panels. Measured on 512 x 128, depth 768, AVX-512, operands
// in the third cache: 146 GFLOP/s against 127 with panels of the whole, of 187 within the first
// cache.
namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

class BlockedWriter {
 public:
  BlockedWriter(const Contraction& problem, const BlockPlan& plan)
      : problem_(problem), depth_(problem.contracted.front()), plan_(plan) {}

  void write() {
    RegionWriter& writer = problem_.writer;
    Emitter emitter(writer.context(), writer.kernel_name(""), problem_.space, plan_.grid());
    emitter_ = &emitter;
    product_.lhs = emitter.buffer(problem_.lhs.memory, problem_.lhs.type);
    from_ = product_.rhs = emitter.buffer(problem_.rhs.memory, problem_.rhs.type);
    // Memory of the instance comes after all arguments.
    for (const auto& [value, argument] : writer.context().memory) emitter.declare_input(value);
    for (const Destination& to : writer.outputs())
      emitter.buffer(to.argument, writer.type(to.value), true);
    const std::int64_t sum_count =
        plan_.patch.rows * plan_.patch.lanes * plan_.tile.rows * plan_.tile.lanes;
    sums_ = emitter.builder().shared("sums", problem_.accumulate, sum_count);
    if (plan_.packs)
      product_.rhs = emitter.builder().shared("panels", problem_.rhs.type.dtype,
                                              plan_.patch.lanes * panel_size());
    place(emitter.builder().instance());
    write_blocks(sum_count);
    writer.add(std::move(emitter).finish());
  }

 private:
  ValueId constant(std::int64_t value) const { return emitter_->index_constant(DType::i64, value); }
  ValueId plus(ValueId value, std::int64_t distance) const {
    return emitter_->call(ScalarFunction::add, {value, constant(distance)});
  }
  std::size_t lane_place() const { return plan_.outer.size() - 1; }
  std::int64_t panel_size() const { return plan_.depth * plan_.tile.lanes; }

  void place(ValueId instance) {
    const auto divide = [&](ValueId value, std::int64_t by) {
      return std::pair{emitter_->call(ScalarFunction::divide, {value, constant(by)}),
                       emitter_->call(ScalarFunction::remainder, {value, constant(by)})};
    };
    const auto [rest, lane_group] = divide(instance, plan_.lane_groups());
    const auto [outermost, row_group] = divide(rest, plan_.row_groups());
    outermost_ = outermost;
    first_row_ = emitter_->call(ScalarFunction::multiply, {row_group, constant(plan_.patch.rows)});
    first_lane_ =
        emitter_->call(ScalarFunction::multiply, {lane_group, constant(plan_.patch.lanes)});
  }

  // body(tile within the instance, number of the tile); patches at the end may have fewer tiles.
  void each(ValueId first, std::int64_t count, std::int64_t tiles,
            const std::function<void(ValueId, ValueId)>& body) const {
    emitter_->repeat(count, [&](ValueId i) {
      const ValueId tile = emitter_->call(ScalarFunction::add, {first, i});
      if (tiles % count == 0) return body(i, tile);
      emitter_->if_true(emitter_->call(ScalarFunction::less, {tile, constant(tiles)}),
                        [&] { body(i, tile); });
    });
  }
  void each_lane(const std::function<void(ValueId, ValueId)>& body) const {
    each(first_lane_, plan_.patch.lanes, plan_.lane_tiles(), [&](ValueId l, ValueId lane) {
      body(l, stepped(*emitter_, lane, outermost_, plan_.lane_tiles()));
    });
  }
  // body(r, l, places). A panel stays in the first cache while the tiles of rows pass by it; those
  // of an operand across the contracted axis do so together, for the rows' lines to be read once.
  void each_tile(
      const std::function<void(ValueId, ValueId, std::span<const TilePlace>)>& body) const {
    const auto at = [&](ValueId r, ValueId row, ValueId l, ValueId column) {
      write_tile(*emitter_, plan_.tiling, stepped(*emitter_, row, column, plan_.row_tiles()),
                 [&](std::span<const TilePlace> places) { body(r, l, places); });
    };
    const auto each_row = [&](const std::function<void(ValueId, ValueId)>& then) {
      each(first_row_, plan_.patch.rows, plan_.row_tiles(), then);
    };
    if (plan_.packs && !plan_.is_across)
      each_lane([&](ValueId l, ValueId column) {
        each_row([&](ValueId r, ValueId row) { at(r, row, l, column); });
      });
    else
      each_row([&](ValueId r, ValueId row) {
        each_lane([&](ValueId l, ValueId column) { at(r, row, l, column); });
      });
  }

  // Rows `first` (a number of the contracted axis) and `count` - 1 more of every lane.
  void pack(ValueId first, std::int64_t count) const {
    each_lane([&](ValueId l, ValueId column) {
      write_tile(*emitter_, plan_.outer, column, [&](std::span<const TilePlace> places) {
        const auto source = emitter_->place(problem_.rhs.place);
        const ValueId from = stepped(*emitter_, source->offset, first, depth_.rhs);
        const ValueId to = emitter_->call(ScalarFunction::multiply, {l, constant(panel_size())});
        const auto copy = [&](ValueId row, std::int64_t rows) {
          const kernel::Access read{from_,      stepped(*emitter_, from, row, depth_.rhs),
                                    depth_.rhs, source->lane_step,
                                    rows,       places.back().size};
          emitter_->builder().store({product_.rhs, stepped(*emitter_, to, row, plan_.tile.lanes),
                                     plan_.tile.lanes, 1, rows, plan_.tile.lanes},
                                    emitter_->builder().load(read, rows, plan_.tile.lanes));
        };
        emitter_->repeat(count / kCopiedRows, [&](ValueId i) {
          copy(emitter_->call(ScalarFunction::multiply, {i, constant(kCopiedRows)}), kCopiedRows);
        });
        if (count % kCopiedRows != 0)
          copy(constant(count / kCopiedRows * kCopiedRows), count % kCopiedRows);
      });
    });
  }

  // A share of the block of panel `l` that starts at `first`, for tile r of the patch to ask for;
  // `shift` elements further on.
  void fetch(ValueId r, ValueId first, std::int64_t count, std::int64_t shift) const {
    const auto place = emitter_->place(problem_.rhs.place);
    const bool is_along = place->lane_step == 1;  // rows of lanes, else lanes of rows
    const std::int64_t lines = is_along ? count : plan_.tile.lanes;
    const std::int64_t step = is_along ? depth_.rhs : place->lane_step;
    const std::int64_t share = ceil_divide(lines, plan_.patch.rows);
    const ValueId start = plus(stepped(*emitter_, place->offset, first, depth_.rhs), shift);
    emitter_->prefetch({from_, stepped(*emitter_, start, r, share * step), step, 1, share,
                        is_along ? plan_.tile.lanes : count});
  }

  // Panel l's share of the tile's left operand in the block after the one at `first`.
  void fetch_lhs(ValueId l, std::span<const TilePlace> places, ValueId first) const {
    if (depth_.lhs != 1) return;
    const auto place = emitter_->place(problem_.lhs.place);
    const std::int64_t share = ceil_divide(plan_.depth, plan_.patch.lanes);
    const ValueId start =
        plus(emitter_->call(ScalarFunction::add, {place->offset, first}), plan_.depth);
    emitter_->prefetch({product_.lhs, stepped(*emitter_, start, l, share), place->row_step, 1,
                        places.back().size, share});
  }

  // The tile's sums so far, and what follows them.
  struct Sums {
    kernel::Access access;
    std::function<ValueId()> total;
  };
  Sums multiply(ValueId r, ValueId l, std::span<const TilePlace> places, ValueId first) {
    product_.rows = places.back().size;
    product_.lanes = places[lane_place()];
    set_product_frame(*emitter_, problem_, plan_.packs, product_);
    const auto lhs = emitter_->place(problem_.lhs.place);
    product_.lhs_offset = stepped(*emitter_, lhs->offset, first, depth_.lhs);
    product_.lhs_row_step = lhs->row_step;
    if (plan_.packs)
      product_.rhs_offset = emitter_->call(ScalarFunction::multiply, {l, constant(panel_size())});
    else
      product_.rhs_offset =
          stepped(*emitter_, emitter_->place(problem_.rhs.place)->offset, first, depth_.rhs);
    const ValueId slot = stepped(*emitter_, l, r, plan_.patch.lanes);
    const ValueId at = stepped(*emitter_, constant(0), slot, plan_.tile.rows * plan_.tile.lanes);
    const std::int64_t width = emitter_->frame().lanes;
    const kernel::Access access{sums_, at, plan_.tile.lanes, 1, product_.rows, width};
    product_.start = emitter_->builder().load(access, product_.rows, width);
    const TiledRhs rhs{{}, problem_.rhs, problem_.contracted, 1};
    return {access, [this, rhs] { return multiply_tile(*emitter_, problem_, rhs, product_); }};
  }

  void write_blocks(std::int64_t sum_count) {
    const std::int64_t done = (plan_.blocks - 1) * plan_.depth;
    const std::int64_t rhs_step = plan_.packs ? plan_.tile.lanes : depth_.rhs;
    const ValueId zero = emitter_->constant(problem_.accumulate, 0);
    emitter_->builder().store({sums_, constant(0), sum_count, 1, 1, sum_count}, zero);
    product_.axes = {{plan_.depth, depth_.lhs, rhs_step}};
    emitter_->repeat(plan_.blocks - 1, [&](ValueId block) {
      const ValueId first =
          emitter_->call(ScalarFunction::multiply, {block, constant(plan_.depth)});
      if (plan_.packs) pack(first, plan_.depth);
      each_tile([&](ValueId r, ValueId l, std::span<const TilePlace> places) {
        if (plan_.packs) {
          fetch(r, first, plan_.depth, plan_.depth * depth_.rhs);
          fetch_lhs(l, places, first);
        }
        prefetch_epilogue(*emitter_, problem_, block, plan_.blocks - 1);
        const Sums sums = multiply(r, l, places, first);
        emitter_->builder().store(sums.access, sums.total());
      });
    });
    product_.axes = {{depth_.extent - done, depth_.lhs, rhs_step}};
    if (plan_.packs) pack(constant(done), depth_.extent - done);
    each_tile([&](ValueId r, ValueId l, std::span<const TilePlace> places) {
      // The next instance begins with the lanes behind these.
      if (plan_.packs)
        fetch(
            r, constant(0), plan_.depth,
            plan_.patch.lanes * plan_.tile.lanes * emitter_->place(problem_.rhs.place)->lane_step);
      write_epilogue(*emitter_, problem_, multiply(r, l, places, constant(done)).total());
    });
  }

  const Contraction& problem_;
  const ContractedAxis& depth_;
  const BlockPlan& plan_;
  Emitter* emitter_ = nullptr;
  TileProduct product_;
  BufferId from_, sums_;
  ValueId outermost_{}, first_row_{}, first_lane_{};
};

}  // namespace

void lower_in_blocks(const Contraction& problem, const BlockPlan& plan) {
  BlockedWriter(problem, plan).write();
}

}  // namespace tenon::lower

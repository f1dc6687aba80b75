#include <gtest/gtest.h>

#include "tenon/base/threefry.h"
#include "tenon/kernel/builder.h"
#include "tests/codegen/compiled_kernels.h"

namespace tenon::codegen {
namespace {

using namespace kernel;

constexpr std::int64_t kElements = 200;

// Writes a random kernel over i32: tiles of few shapes, buffers that are read and written in every
// order, nested loops that pass their carried values around, folds, contractions, conditions.
class RandomKernel {
 public:
  RandomKernel(int number, std::uint64_t seed)
      : sequence_{.key = seed}, b_(fmt::format("random_{}", number), 3) {
    buffers_ = {b_.argument("x", DType::i32, kElements, false),
                b_.argument("y", DType::i32, kElements, true),
                b_.argument("z", DType::i32, kElements, true),
                b_.shared("own", DType::i32, kElements)};
    // Few offsets, so that accesses often meet; no access below spans more than 75 elements.
    offsets_ = {b_.index(0), b_.index(2), b_.index(40), b_.index(100), b_.instance()};
    // Shared memory is undefined at the start.
    b_.store({buffers_[3], b_.index(0), 0, 1, 1, kElements}, b_.number(DType::i32, 1));
  }
  Kernel finish() {
    std::vector<ValueId> scalars = {b_.cast(b_.instance(), DType::i32)};
    block(10, 2, {}, scalars);
    return std::move(b_).finish(1);
  }

 private:
  struct Shape {
    std::int64_t rows, lanes;
  };
  static constexpr Shape kShapes[] = {{1, 16}, {4, 8}, {3, 5}, {1, 37}, {9, 1}};

  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(sequence_.below(static_cast<std::uint64_t>(bound)));
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(below(static_cast<std::int64_t>(from.size())))];
  }
  // Distinct elements of the buffer, sometimes transposed, strided or partly active.
  Access access(Shape shape, bool may_repeat) {
    Access result;
    result.buffer = pick(buffers_);
    result.active_rows = below(4) == 0 ? below(shape.rows + 1) : shape.rows;
    result.active_lanes = below(4) == 0 ? below(shape.lanes + 1) : shape.lanes;
    switch (below(may_repeat ? 5 : 3)) {
      case 0: result.row_stride = shape.lanes; break;
      case 1: result.row_stride = 1, result.lane_stride = shape.rows; break;
      case 2: result.row_stride = 2 * shape.lanes, result.lane_stride = 2; break;
      case 3: result.row_stride = 0; break;
      case 4: result.row_stride = 1, result.lane_stride = 0; break;
    }
    result.offset = pick(offsets_);
    return result;
  }
  ValueId operand(Shape shape, const std::vector<ValueId>& tiles,
                  const std::vector<ValueId>& scalars) {
    std::vector<ValueId> fitting;
    for (const ValueId tile : tiles)
      if (b_.type(tile).rows == shape.rows && b_.type(tile).lanes == shape.lanes)
        fitting.push_back(tile);
    if (!fitting.empty() && below(4) != 0) return pick(fitting);
    if (below(3) == 0) return b_.lane_index(DType::i32, shape.rows, shape.lanes);
    return b_.splat(pick(scalars), shape.rows, shape.lanes);
  }
  void store_tile(Shape shape, ValueId value) {
    Access place = access(shape, false);
    if (place.buffer == buffers_[0]) place.buffer = buffers_[1];
    b_.store(place, value);
  }

  void block(int statements, int depth, std::vector<ValueId> tiles, std::vector<ValueId> scalars) {
    for (int i = 0; i < statements; ++i) {
      const Shape shape = kShapes[below(std::size(kShapes))];
      const ValueId a = operand(shape, tiles, scalars), c = operand(shape, tiles, scalars);
      switch (below(12)) {
        case 0:
        case 1: tiles.push_back(b_.load(access(shape, true), shape.rows, shape.lanes, 5)); break;
        case 2:
        case 3: store_tile(shape, a); break;
        case 4: tiles.push_back(b_.add(a, c)); break;
        case 5: {
          const ValueId mask = b_.call(ScalarFunction::less, {a, c});
          tiles.push_back(b_.select(mask, b_.multiply(a, c), pick(scalars)));
          break;
        }
        case 6: {
          const ValueId row = b_.fold(ScalarFunction::add, FoldAxis::lanes, a, shape.lanes);
          const ValueId one = b_.fold(ScalarFunction::maximum, FoldAxis::rows, row, shape.rows);
          if (b_.type(one).is_scalar()) scalars.push_back(one);
          if (!b_.type(row).is_scalar()) tiles.push_back(row);
          break;
        }
        case 11: {  // a row or a column beside a tile
          const bool is_row = below(2) == 0;
          const ValueId narrow =
              b_.fold(ScalarFunction::add, is_row ? FoldAxis::rows : FoldAxis::lanes, a,
                      is_row ? shape.rows : shape.lanes);
          tiles.push_back(b_.add(b_.multiply(narrow, narrow), c));
          store_tile(shape, narrow);
          break;
        }
        case 7: {
          const ValueId start = b_.index(below(20));
          tiles.push_back(b_.contract({.lhs = pick(buffers_),
                                       .rhs = pick(buffers_),
                                       .lhs_offset = start,
                                       .rhs_offset = start,
                                       .lhs_row_stride = 3,
                                       .rhs_depth_stride = 2,
                                       .depth = 5,
                                       .active_rows = shape.rows,
                                       .active_lanes = below(shape.lanes + 1),
                                       .accumulator = a}));
          break;
        }
        case 8:
          if (depth > 0) loop(statements / 2, depth, shape, {a, c}, tiles, scalars);
          break;
        case 9: scalars.push_back(b_.load(access({1, 1}, true), 1, 1, 3)); break;
        case 10:
          if (depth > 0)
            b_.if_true(b_.call(ScalarFunction::less, {pick(scalars), pick(scalars)}),
                       [&] { block(statements / 3, 0, tiles, scalars); });
          break;
      }
    }
    for (const ValueId tile : tiles)
      if (below(2) == 0) store_tile({b_.type(tile).rows, b_.type(tile).lanes}, tile);
  }
  void loop(int statements, int depth, Shape shape, std::vector<ValueId> initial,
            std::vector<ValueId>& tiles, std::vector<ValueId>& scalars) {
    initial.push_back(pick(scalars));
    const auto results = b_.loop(
        2 + below(2), initial,
        [&](ValueId index, std::span<const ValueId> carried) -> std::vector<ValueId> {
          std::vector<ValueId> inner_tiles = tiles, inner_scalars = scalars;
          inner_tiles.insert(inner_tiles.end(), carried.begin(), carried.end() - 1);
          inner_scalars.push_back(carried.back());
          inner_scalars.push_back(b_.cast(index, DType::i32));
          block(statements, depth - 1, inner_tiles, inner_scalars);
          // Sometimes computed, sometimes exchanged, sometimes something from outside.
          std::vector<ValueId> yields;
          for (int i = 0; i < 2; ++i)
            yields.push_back(below(2) == 0 ? b_.add(operand(shape, inner_tiles, inner_scalars),
                                                    carried[static_cast<std::size_t>(i)])
                                           : operand(shape, inner_tiles, inner_scalars));
          if (below(3) == 0) yields = {carried[1], carried[0]};
          yields.push_back(b_.add(carried.back(), pick(inner_scalars)));
          return yields;
        });
    tiles.push_back(results[0]);
    tiles.push_back(results[1]);
    scalars.push_back(results[2]);
  }

  ThreefrySequence sequence_;
  KernelBuilder b_;
  std::vector<BufferId> buffers_;
  std::vector<ValueId> offsets_;
};

TEST(RandomKernels, DoWhatTheEvaluatorDoes) {
  std::vector<Kernel> kernels;
  for (int i = 0; i < 24; ++i) kernels.push_back(RandomKernel(i, 1000 + i).finish());
  expect_same_bits(kernels);
}

}  // namespace
}  // namespace tenon::codegen

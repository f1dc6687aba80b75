#include "tenon/codegen/emit.h"

#include <gtest/gtest.h>

#include "tenon/kernel/builder.h"
#include "tests/codegen/compiled_kernels.h"
#include "tests/codegen/sample_kernels.h"
#include "tests/golden/golden.h"

namespace tenon::codegen {
namespace {

using namespace kernel;
using enum ScalarFunction;

using Kernels = std::vector<Kernel>;

Access line_of(BufferId buffer, ValueId offset, std::int64_t lanes) {
  return {.buffer = buffer, .offset = offset, .row_stride = 0, .active_lanes = lanes};
}
Access tile_of(BufferId buffer, ValueId offset, std::int64_t rows, std::int64_t lanes) {
  return {buffer, offset, lanes, 1, rows, lanes};
}

TEST(EmitC, GoldenTexts) {
  testing::expect_golden("kernel_layer_norm", print(samples::layer_norm(8, 200, 1)));
  testing::expect_golden("kernel_dense", print(samples::staged_dense(128, 128, 64, 256)));
  testing::expect_golden("c_elementwise", emit_c(samples::elementwise(8, 200, 1)));
  testing::expect_golden("c_row_softmax", emit_c(samples::row_softmax(8, 200, 1)));
  testing::expect_golden("c_layer_norm", emit_c(samples::layer_norm(8, 200, 1)));
  testing::expect_golden("c_layer_norm_backward", emit_c(samples::layer_norm_backward(8, 200, 1)));
  testing::expect_golden("c_dense", emit_c(samples::staged_dense(128, 128, 64, 256)));
}

TEST(EmitC, Samples) {
  // Softmax's exp is not the evaluator's; its bits are compared between compilers elsewhere.
  const Kernels kernels = {samples::elementwise(5, 37, 1), samples::layer_norm_backward(3, 100, 1),
                           samples::staged_dense(64, 128, 32, 1)};
  expect_same_bits(kernels, {.all_compilers = true});
}

using Change = std::function<ValueId(KernelBuilder&, ValueId)>;
Kernel fold_kernel(int number, ScalarFunction f, DType dtype, FoldAxis axis, std::int64_t n,
                   std::int64_t lines, std::int64_t idle, const Change& before = {},
                   const Change& after = {}) {
  KernelBuilder b(fmt::format("fold_{}", number), 2);
  const bool over_lanes = axis == FoldAxis::lanes;
  const std::int64_t rows = over_lanes ? lines : n + idle, lanes = over_lanes ? n + idle : lines;
  const BufferId x = b.argument("x", dtype, 2 * rows * lanes, false);
  const BufferId y = b.argument("y", dtype, 2 * lines, true);
  const ValueId start = b.multiply(b.instance(), b.index(rows * lanes));
  const ValueId loaded = b.load(tile_of(x, start, rows, lanes), rows, lanes);
  const ValueId folded = b.fold(f, axis, before ? before(b, loaded) : loaded, n);
  const ValueId result = after ? after(b, folded) : folded;
  const ValueId place = b.multiply(b.instance(), b.index(lines));
  b.store({y, place, 1, 1, over_lanes ? lines : 1, over_lanes ? 1 : lines}, result);
  return std::move(b).finish(1);
}

// Those of many lanes are taken in another order.
TEST(EmitC, ExtremesOfManyLanes) {
  const Change with_nan = [](KernelBuilder& b, ValueId tile) {
    const TileType type = b.type(tile);
    const ValueId is_there =
        b.call(equal, {b.lane_index(DType::i64, type.rows, type.lanes), b.index(type.lanes / 2)});
    return b.select(is_there, b.number(type.dtype, std::nan("")), tile);
  };
  const Change is_nan = [](KernelBuilder& b, ValueId x) {  // whatever its payload
    return b.cast(b.call(not_equal, {x, x}), DType::f32);
  };
  const Change zeros = [](KernelBuilder& b, ValueId tile) {  // of both signs
    return b.multiply(tile, b.number(b.type(tile).dtype, 0));
  };
  Kernels kernels;
  int number = 0;
  for (const std::int64_t n : {255, 256, 257, 319, 320, 700, 2096})
    for (const ScalarFunction f : {minimum, maximum}) {
      for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u8})
        kernels.push_back(fold_kernel(++number, f, dtype, FoldAxis::lanes, n, 3, n % 3));
      for (const auto& [before, after] : {std::pair{with_nan, is_nan}, std::pair{zeros, Change{}}})
        kernels.push_back(
            fold_kernel(++number, f, DType::f32, FoldAxis::lanes, n, 1, n % 3, before, after));
    }
  expect_same_bits(kernels);
}

TEST(EmitC, FoldsOfEveryLengthInTheDocumentedOrder) {
  Kernels kernels;
  int number = 0;
  for (const FoldAxis axis : {FoldAxis::lanes, FoldAxis::rows})
    for (const std::int64_t n : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 100, 1000})
      for (const std::int64_t lines : {1, 5}) {
        if (lines == 5 && n != 3 && n != 33 && n != 100) continue;
        kernels.push_back(fold_kernel(++number, add, DType::f32, axis, n, lines, n % 3));
        if (n == 33 && lines == (axis == FoldAxis::rows ? 5 : 1)) {
          kernels.push_back(fold_kernel(++number, maximum, DType::f64, axis, n, lines, 1));
          kernels.push_back(fold_kernel(++number, minimum, DType::bf16, axis, n, lines, 0));
          kernels.push_back(fold_kernel(++number, add, DType::f16, axis, n, lines, 0));
          kernels.push_back(fold_kernel(++number, multiply, DType::i32, axis, n, lines, 2));
          kernels.push_back(fold_kernel(++number, add, DType::u8, axis, n, lines, 2));
          kernels.push_back(fold_kernel(++number, logical_or, DType::boolean, axis, n, lines, 0));
        }
      }
  expect_same_bits(kernels);
}

// A sum of masked tiles, each element counted with its row and lane, stored under other masks.
Kernel masked_kernel(int number, std::int64_t rows, std::int64_t lanes, std::int64_t active_rows,
                     std::int64_t active_lanes) {
  KernelBuilder b(fmt::format("masked_{}", number), 1);
  const BufferId x = b.argument("x", DType::f32, active_rows * active_lanes + 1, false);
  const BufferId y = b.argument("y", DType::f32, rows * lanes, true);
  const BufferId z = b.argument("z", DType::f32, active_rows * 2 * active_lanes, true);
  const ValueId zero = b.index(0);
  const ValueId tile =
      b.load({x, b.index(1), active_lanes, 1, active_rows, active_lanes}, rows, lanes, -3);
  const ValueId place =
      b.add(b.row_index(DType::i32, rows, lanes),
            b.multiply(b.lane_index(DType::i32, rows, lanes), b.number(DType::i32, 7)));
  const ValueId sum = b.add(tile, b.cast(place, DType::f32));
  b.store(tile_of(y, zero, rows, lanes), sum);
  // Columns with a stride of two, only where the load was active.
  b.store({z, zero, 2 * active_lanes, 2, active_rows, active_lanes}, b.multiply(sum, tile));
  return std::move(b).finish(1);
}

TEST(EmitC, MaskedEdges) {
  Kernels kernels;
  int number = 0;
  for (const auto& [rows, active_rows] :
       std::vector<std::pair<int, int>>{{1, 1}, {4, 4}, {4, 3}, {3, 0}})
    for (const auto& [lanes, active_lanes] :
         std::vector<std::pair<int, int>>{{1, 1}, {16, 16}, {32, 10}, {33, 17}})
      kernels.push_back(masked_kernel(++number, rows, lanes, active_rows, active_lanes));
  expect_same_bits(kernels);
}

// A tile that is stored twice is an array meanwhile. Of its edge, which no store writes, nothing is
// computed; of what indices are made of, everything is.
TEST(EmitC, WhatNoStoreWritesIsNotComputed) {
  const auto kernel = [](std::string name, bool is_folded, bool is_index) {
    KernelBuilder b(std::move(name), 1);
    const BufferId x = b.argument("x", DType::f32, 64, false);
    const BufferId y = b.argument("y", DType::f32, 64, true);
    const ValueId loaded = b.load({x, b.index(0), 16, 1, 4, 10}, 4, 16, 2.0);
    const ValueId square = b.multiply(loaded, loaded);
    if (is_index) {
      const ValueId place = b.call(maximum, {b.cast(square, DType::i64), b.index(0)});
      const ValueId inside = b.call(minimum, {place, b.index(63)});
      b.store({y, b.index(0), 16, 1, 4, 3}, b.load_indexed(x, inside));
    } else {
      b.store({y, b.index(0), 16, 1, 4, 10}, square);
    }
    b.store({y, b.index(10), 16, 1, 4, 6}, square);
    if (is_folded) b.store({y, b.index(48), 0, 1, 1, 10}, b.fold(add, FoldAxis::rows, square, 4));
    return std::move(b).finish(1);
  };
  const Kernels kernels = {kernel("stored", false, false), kernel("folded", true, false),
                           kernel("indexed", false, true)};
  expect_same_bits(kernels);
  expect_same_bits(std::span(kernels).first(1), {.in_place = {{1, 0}}});
  EXPECT_EQ(emit_c(kernels[0]).find("l = 10"), std::string::npos) << emit_c(kernels[0]);
  EXPECT_NE(emit_c(kernels[2]).find("l = 10"), std::string::npos) << emit_c(kernels[2]);
}

TEST(EmitC, LoopsCarryTilesAndScalars) {
  Kernels kernels;
  {  // Two carried tiles that change places, one that sums, one scalar.
    KernelBuilder b("exchange", 3);
    const BufferId x = b.argument("x", DType::f32, 3 * 7 * 20, false);
    const BufferId y = b.argument("y", DType::f32, 3 * 61, true);
    const ValueId zeros = b.splat(b.number(DType::f32, 0), 1, 20);
    const ValueId base = b.multiply(b.instance(), b.index(140));
    const ValueId first = b.load(line_of(x, base, 20), 1, 20);
    const auto results = b.loop(7, {{first, zeros, zeros, b.number(DType::f32, 1)}},
                                [&](ValueId i, std::span<const ValueId> c) -> std::vector<ValueId> {
                                  const ValueId offset = b.add(base, b.multiply(i, b.index(20)));
                                  const ValueId next = b.load(line_of(x, offset, 20), 1, 20);
                                  const ValueId sum = b.add(c[2], b.multiply(next, c[0]));
                                  const ValueId scalar = b.fold(add, FoldAxis::lanes, sum, 20);
                                  return {c[1], c[0], sum, b.add(scalar, c[3])};
                                });
    for (int i = 0; i < 3; ++i)
      b.store(line_of(y, b.add(b.multiply(b.instance(), b.index(61)), b.index(20 * i)), 20),
              results[i]);
    b.store(line_of(y, b.add(b.multiply(b.instance(), b.index(61)), b.index(60)), 1), results[3]);
    kernels.push_back(std::move(b).finish(1));
  }
  {  // The same start for two inner loops; an outer value read in the body.
    KernelBuilder b("nested", 1);
    const BufferId x = b.argument("x", DType::f32, 64, false);
    const BufferId y = b.argument("y", DType::f32, 48, true);
    const ValueId start = b.load(line_of(x, b.index(0), 16), 1, 16);
    const ValueId scale = b.load(line_of(x, b.index(16), 16), 1, 16);
    const auto outer =
        b.loop(3, {{scale}}, [&](ValueId i, std::span<const ValueId> c) -> std::vector<ValueId> {
          const auto inner = b.loop(
              2, {{start}}, [&](ValueId j, std::span<const ValueId> d) -> std::vector<ValueId> {
                const ValueId at = b.multiply(b.add(i, j), b.index(16));
                return {b.add(b.multiply(d[0], scale), b.load(line_of(x, at, 16), 1, 16))};
              });
          const ValueId old = b.call(subtract, {c[0], inner[0]});
          const ValueId folded = b.fold(maximum, FoldAxis::lanes, old, 16);
          return {b.add(b.multiply(c[0], old), folded)};
        });
    b.store(line_of(y, b.index(0), 16), outer[0]);
    b.store(line_of(y, b.index(16), 16), start);
    b.store(line_of(y, b.index(32), 16), scale);
    kernels.push_back(std::move(b).finish(1));
  }
  {  // A value computed into the carried array while another still needs that array.
    KernelBuilder b("late_use", 1);
    const BufferId x = b.argument("x", DType::f32, 64, false);
    const BufferId y = b.argument("y", DType::f32, 32, true);
    const ValueId start = b.load(tile_of(x, b.index(0), 4, 8), 4, 8);
    const auto result =
        b.loop(4, {{start}}, [&](ValueId i, std::span<const ValueId> c) -> std::vector<ValueId> {
          const ValueId product = b.contract({.lhs = x,
                                              .rhs = x,
                                              .lhs_offset = i,
                                              .rhs_offset = b.index(8),
                                              .lhs_row_stride = 3,
                                              .rhs_depth_stride = 5,
                                              .depth = 6,
                                              .active_rows = 4,
                                              .active_lanes = 7,
                                              .accumulator = c[0]});
          const ValueId next = b.multiply(product, b.number(DType::f32, 0.125));
          const ValueId rows = b.fold(add, FoldAxis::lanes, product, 8);
          const ValueId total = b.fold(add, FoldAxis::rows, rows, 4);
          return {b.add(next, total)};
        });
    b.store(tile_of(y, b.index(0), 4, 8), result[0]);
    kernels.push_back(std::move(b).finish(1));
  }
  expect_same_bits(kernels);
}

// A loop over tiles of 16, started from memory and stored at the end.
Kernel loop_kernel(std::string name,
                   const std::function<std::vector<ValueId>(KernelBuilder&, ValueId,
                                                            std::span<const ValueId>)>& body,
                   int carried) {
  KernelBuilder b(std::move(name), 1);
  const BufferId x = b.argument("x", DType::f32, 16, false);
  const BufferId y = b.argument("y", DType::f32, 48, true);
  const ValueId start = b.load(line_of(x, b.index(0), 16), 1, 16);
  const std::vector<ValueId> initial(static_cast<std::size_t>(carried), start);
  const auto results =
      b.loop(3, initial, [&](ValueId, std::span<const ValueId> c) { return body(b, start, c); });
  for (int i = 0; i < carried; ++i) b.store(line_of(y, b.index(16 * i), 16), results[i]);
  return std::move(b).finish(1);
}

TEST(EmitC, CarriedArraysAreOverwrittenOnlyWhenFree) {
  Kernels kernels;
  kernels.push_back(loop_kernel(
      "start_read_in_body",
      [](KernelBuilder& b, ValueId start, std::span<const ValueId> c) -> std::vector<ValueId> {
        return {b.add(b.multiply(c[0], c[0]), start)};
      },
      1));
  kernels.push_back(loop_kernel(
      "equal_starts",
      [](KernelBuilder& b, ValueId, std::span<const ValueId> c) -> std::vector<ValueId> {
        return {b.add(c[0], b.number(DType::f32, 1)), b.multiply(c[1], c[0])};
      },
      2));
  kernels.push_back(loop_kernel(
      "argument_read_after_yield",
      [](KernelBuilder& b, ValueId, std::span<const ValueId> c) -> std::vector<ValueId> {
        const ValueId next = b.add(c[0], b.number(DType::f32, 1));
        const ValueId old = b.fold(add, FoldAxis::lanes, c[0], 16);
        return {next, b.add(c[1], old)};
      },
      2));
  {  // The contraction computes into the carried array, which the yield may not take from it.
    KernelBuilder b("accumulator_read_after_yield", 1);
    const BufferId x = b.argument("x", DType::f32, 64, false);
    const BufferId y = b.argument("y", DType::f32, 33, true);
    const ValueId start = b.load(tile_of(x, b.index(0), 4, 8), 4, 8);
    const auto results = b.loop(3, {{start, b.number(DType::f32, 0)}},
                                [&](ValueId i, std::span<const ValueId> c) -> std::vector<ValueId> {
                                  const ValueId product = b.contract({.lhs = x,
                                                                      .rhs = x,
                                                                      .lhs_offset = i,
                                                                      .rhs_offset = b.index(8),
                                                                      .lhs_row_stride = 3,
                                                                      .rhs_depth_stride = 5,
                                                                      .depth = 6,
                                                                      .active_rows = 4,
                                                                      .active_lanes = 7,
                                                                      .accumulator = c[0]});
                                  const ValueId next =
                                      b.multiply(product, b.number(DType::f32, 0.125));
                                  const ValueId rows = b.fold(maximum, FoldAxis::lanes, product, 8);
                                  return {next, b.add(c[1], b.fold(add, FoldAxis::rows, rows, 4))};
                                });
    b.store(tile_of(y, b.index(0), 4, 8), results[0]);
    b.store(line_of(y, b.index(32), 1), results[1]);
    kernels.push_back(std::move(b).finish(1));
  }
  expect_same_bits(kernels);
}

TEST(EmitC, StatementsTouchMemoryInTheirOrder) {
  KernelBuilder b("order", 1);
  const BufferId y = b.argument("y", DType::i32, 64, true);
  const BufferId z = b.argument("z", DType::i32, 16, true);
  const ValueId one = b.number(DType::i32, 1);
  const ValueId lanes = b.lane_index(DType::i32, 1, 16);
  // A scalar read of what the tile before has written.
  b.store(line_of(y, b.index(0), 16), b.add(lanes, one));
  const ValueId fifth = b.load(line_of(y, b.index(5), 1), 1, 1);
  b.store(line_of(z, b.index(0), 16), b.multiply(lanes, fifth));
  // Rows that share their places: all are read before any is written, and the last one wins.
  const Access shared{y, b.index(16), 0, 1, 4, 8};
  b.store(shared, b.add(b.load(shared, 4, 8), b.row_index(DType::i32, 4, 8)));
  expect_same_bits(Kernels{std::move(b).finish(1)});
}

TEST(EmitC, IndexedMemory) {
  Kernels kernels;
  for (const DType dtype : {DType::i64, DType::i32}) {
    KernelBuilder b(fmt::format("indexed_{}", name(dtype)), 1);
    const BufferId table = b.argument("table", DType::f32, 100 * 6, false);
    const BufferId indices = b.argument("indices", dtype, 40, false);
    const BufferId y = b.argument("y", DType::f32, 240, true);
    const BufferId z = b.argument("z", DType::f32, 100, true);
    // Row indices[r], lane l; where the index is below 50.
    const ValueId rows = b.load({indices, b.index(0), 1, 0, 40, 6}, 40, 6);
    const ValueId place = b.add(b.multiply(rows, b.number(dtype, 6)), b.lane_index(dtype, 40, 6));
    const ValueId mask = b.call(less, {rows, b.number(dtype, 50)});
    const ValueId taken = b.load_indexed(table, place, mask, -1);
    b.store(tile_of(y, b.index(0), 40, 6), taken);
    // Duplicates: the last one wins; then reads of what was written.
    const ValueId line = b.load(line_of(indices, b.index(0), 40), 1, 40);
    const ValueId value = b.cast(b.lane_index(dtype, 1, 40), DType::f32);
    b.store_indexed(z, line, value);
    const ValueId back = b.load_indexed(z, line);
    b.store_indexed(z, line, b.multiply(back, b.number(DType::f32, 2)),
                    b.call(greater, {line, b.number(dtype, 20)}));
    b.store_indexed(z, b.index(3), b.number(DType::f32, 7));
    kernels.push_back(std::move(b).finish(1));
  }
  expect_same_bits(kernels);
}

TEST(EmitC, RandomWordsCastsAndSelects) {
  KernelBuilder b("dropout", 4);
  const BufferId keys = b.argument("keys", DType::u32, 2, false);
  const BufferId words = b.argument("words", DType::u32, 4 * 50, true);
  const BufferId kept = b.argument("kept", DType::f32, 4 * 50, true);
  const BufferId bytes = b.argument("bytes", DType::i8, 4 * 50, true);
  const ValueId start = b.multiply(b.instance(), b.index(50));
  const ValueId index = b.add(b.lane_index(DType::i64, 1, 50), start);
  const ValueId word = b.random_word(b.load(line_of(keys, b.index(0), 1), 1, 1),
                                     b.load(line_of(keys, b.index(1), 1), 1, 1), index);
  b.store(line_of(words, start, 50), word);
  const ValueId uniform =
      b.multiply(b.cast(b.call(shift_right_logical, {word, b.number(DType::u32, 8)}), DType::f32),
                 b.number(DType::f32, 0x1p-24));
  const ValueId is_kept = b.call(less, {uniform, b.number(DType::f32, 0.75)});
  b.store(line_of(kept, start, 50), b.select(is_kept, uniform, b.number(DType::f32, -1)));
  const ValueId wide = b.multiply(b.bitcast(word, DType::i32), b.number(DType::i32, 3));
  b.store(line_of(bytes, start, 50),
          b.cast(b.multiply(b.cast(wide, DType::f32), b.number(DType::f32, 1e-7)), DType::i8));
  expect_same_bits(Kernels{std::move(b).finish(1)});
}

TEST(EmitC, EveryElementType) {
  Kernels kernels;
  for (const DType dtype : kAllDTypes) {
    KernelBuilder b(fmt::format("type_{}", name(dtype)), 2);
    const BufferId x = b.argument("x", dtype, 2 * 21, false);
    const BufferId y = b.argument("y", dtype, 2 * 21, true);
    const BufferId f = b.argument("f", DType::f32, 2 * 21, true);
    const ValueId start = b.multiply(b.instance(), b.index(21));
    const ValueId tile = b.load(line_of(x, start, 21), 1, 21);
    const ValueId one = b.number(dtype, 1);
    ValueId result = b.call(maximum, {tile, one});
    if (!is_boolean(dtype)) {
      result = b.add(b.multiply(result, tile), b.number(dtype, 2));
      result = b.call(subtract, {result, b.fold(add, FoldAxis::lanes, tile, 21)});
    }
    const ValueId chosen = b.select(b.call(less, {tile, one}), tile, result);
    b.store(line_of(y, start, 21), chosen);
    b.store(line_of(f, start, 21), b.cast(chosen, DType::f32));
    kernels.push_back(std::move(b).finish(1));
  }
  expect_same_bits(kernels);
}

TEST(EmitC, InPlaceAtEqualAndOtherPositions) {
  const auto kernel = [](std::string name, bool broadcasts) {
    KernelBuilder b(std::move(name), 5);
    const BufferId x = b.argument("x", DType::f32, 5 * 24, false);
    const BufferId y = b.argument("y", DType::f32, 5 * 24, true);
    const ValueId start = b.multiply(b.instance(), b.index(24));
    const ValueId tile = b.load(tile_of(x, start, 3, 8), 3, 8);
    // The first element of each row, which the first lane is about to overwrite.
    const ValueId head = b.load({x, start, 8, 0, 3, 8}, 3, 8);
    b.store(tile_of(y, start, 3, 8),
            broadcasts ? b.call(subtract, {tile, head}) : b.multiply(tile, tile));
    return std::move(b).finish(1);
  };
  const Kernels kernels = {kernel("square", false), kernel("difference", true)};
  expect_same_bits(kernels, {.in_place = {{1, 0}}});
  expect_same_bits(kernels);
}

TEST(EmitC, ConditionsAndSharedScratch) {
  KernelBuilder b("turn", 4);
  const BufferId x = b.argument("x", DType::i32, 4 * 30, false);
  const BufferId y = b.argument("y", DType::i32, 4 * 30, true);
  const BufferId scratch = b.shared("scratch", DType::i32, 30);
  const ValueId start = b.multiply(b.instance(), b.index(30));
  b.store(tile_of(scratch, b.index(0), 5, 6), b.load(tile_of(x, start, 5, 6), 5, 6));
  b.barrier();
  const ValueId turned = b.load({scratch, b.index(0), 1, 6, 6, 5}, 6, 5);
  b.store(tile_of(y, start, 6, 5), turned);
  // Overwrites of the same elements by a later statement win.
  b.if_true(b.call(equal, {b.call(remainder, {b.instance(), b.index(2)}), b.index(1)}), [&] {
    b.store({y, start, 0, 1, 1, 10}, b.number(DType::i32, -1));
    b.store({y, b.add(start, b.index(5)), 0, 1, 1, 10}, b.number(DType::i32, -2));
  });
  expect_same_bits(Kernels{std::move(b).finish(1)});
}

}  // namespace
}  // namespace tenon::codegen

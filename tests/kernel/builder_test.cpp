#include "tenon/kernel/builder.h"

#include <gtest/gtest.h>

#include "tenon/base/error.h"
#include "tenon/kernel/operands.h"

namespace tenon::kernel {
namespace {

using enum ScalarFunction;

Access row(BufferId buffer, ValueId offset, std::int64_t lanes) {
  return {.buffer = buffer, .offset = offset, .row_stride = lanes, .active_lanes = lanes};
}

// The message of the InternalError that the function raises, without its first words.
std::string error_of(const std::function<void()>& function) {
  try {
    function();
  } catch (const InternalError& error) {
    const std::string message = error.what();
    return message.substr(message.find("kernel "));
  }
  return "no error";
}

TEST(Builder, PrintsWhatIsWritten) {
  KernelBuilder builder("scale", 4);
  builder.comment("y = 2 x");
  const BufferId x = builder.argument("x", DType::f32, 128, false);
  const BufferId y = builder.argument("y", DType::f32, 128, true);
  const ValueId start = builder.multiply(builder.instance(), builder.index(32));
  const ValueId tile = builder.load(row(x, start, 32), 1, 32);
  builder.store(row(y, start, 32), builder.multiply(tile, builder.number(DType::f32, 2)));
  EXPECT_EQ(print(std::move(builder).finish(10)),
            "// y = 2 x\n"
            "kernel scale, grid 4, team 1 {\n"
            "  argument x: f32[128]\n"
            "  argument y: f32[128], written\n"
            "  instance %0\n"
            "  %1: i64 = literal 32\n"
            "  %2: i64 = multiply %0, %1\n"
            "  %3: f32[1x32] = load x[%2 + 32 r + 1 l], r < 1, l < 32\n"
            "  %4: f32 = literal 2\n"
            "  %5: f32[1x32] = multiply %3, %4\n"
            "  store y[%2 + 32 r + 1 l], r < 1, l < 32, %5\n"
            "}\n");
}

TEST(Builder, FoldsIndexArithmetic) {
  KernelBuilder builder("k", 6);
  const BufferId y = builder.argument("y", DType::i64, 100, true);
  const auto index = [&](std::int64_t value) { return builder.index(value); };
  const ValueId i = builder.instance();
  EXPECT_EQ(builder.multiply(i, index(1)), i);
  EXPECT_EQ(builder.add(index(0), i), i);
  EXPECT_EQ(builder.call(subtract, {i, index(0)}), i);
  EXPECT_EQ(builder.call(remainder, {i, index(6)}), i);
  // 7 * (3 + 1) - 9 / 2 = 24; i / 6 = 0; (i / 2) % 3 = i / 2; a false if leaves nothing.
  const ValueId constant =
      builder.call(subtract, {builder.multiply(index(7), builder.add(index(3), index(1))),
                              builder.call(divide, {index(9), index(2)})});
  const ValueId zero = builder.call(divide, {i, index(6)});
  const ValueId half = builder.call(divide, {i, index(2)});
  EXPECT_EQ(builder.call(remainder, {half, index(3)}), half);
  builder.if_true(builder.call(less, {index(2), index(1)}),
                  [&] { builder.store(row(y, zero, 1), i); });
  builder.if_true(builder.call(less, {i, index(6)}),
                  [&] { builder.store(row(y, constant, 1), builder.add(zero, half)); });
  EXPECT_EQ(print(std::move(builder).finish(1)),
            "kernel k, grid 6, team 1 {\n"
            "  argument y: i64[100], written\n"
            "  instance %0\n"
            "  %1: i64 = literal 24\n"
            "  %2: i64 = literal 2\n"
            "  %3: i64 = divide %0, %2\n"
            "  store y[%1], %3\n"
            "}\n");
}

TEST(Builder, DoesNotFoldDivisionByZeroOrOfTheLeastNumber) {
  KernelBuilder builder("k", 2);
  for (const std::int64_t divisor : {0, -1}) {
    const ValueId quotient = builder.call(
        divide, {builder.index(std::numeric_limits<std::int64_t>::min()), builder.index(divisor)});
    const BufferId y = builder.argument("y", DType::i64, 1, true);
    builder.store(row(y, builder.index(0), 1), quotient);
  }
  const std::string text = print(std::move(builder).finish(1));
  EXPECT_NE(text.find("divide %1, %2"), std::string::npos) << text;
}

TEST(Builder, LoopsCarryTilesAndShortLoopsDisappear) {
  KernelBuilder builder("sum", 1);
  const BufferId x = builder.argument("x", DType::f32, 64, false);
  const BufferId y = builder.argument("y", DType::f32, 16, true);
  const ValueId start = builder.splat(builder.number(DType::f32, 0), 1, 16);
  const auto body = [&](ValueId i, std::span<const ValueId> carried) -> std::vector<ValueId> {
    const ValueId offset = builder.multiply(i, builder.index(16));
    return {builder.add(carried[0], builder.load(row(x, offset, 16), 1, 16))};
  };
  EXPECT_EQ(builder.loop(0, {{start}}, body).front(), start);
  const ValueId one = builder.loop(1, {{start}}, body).front();
  const ValueId four = builder.loop(4, {{one}}, body).front();
  builder.store(row(y, builder.index(0), 16), four);
  EXPECT_EQ(print(std::move(builder).finish(1)),
            "kernel sum, grid 1, team 1 {\n"
            "  argument x: f32[64]\n"
            "  argument y: f32[16], written\n"
            "  instance %0\n"
            "  %1: f32 = literal 0\n"
            "  %2: f32[1x16] = splat %1\n"
            "  %3: i64 = literal 0\n"
            "  %4: f32[1x16] = load x[%3 + 16 r + 1 l], r < 1, l < 16\n"
            "  %5: f32[1x16] = add %2, %4\n"
            "  %12: f32[1x16] = loop %6 < 4, %7 from %5 {\n"
            "    %8: i64 = literal 16\n"
            "    %9: i64 = multiply %6, %8\n"
            "    %10: f32[1x16] = load x[%9 + 16 r + 1 l], r < 1, l < 16\n"
            "    %11: f32[1x16] = add %7, %10\n"
            "    yield %11\n"
            "  }\n"
            "  %13: i64 = literal 0\n"
            "  store y[%13 + 16 r + 1 l], r < 1, l < 16, %12\n"
            "}\n");
}

TEST(Builder, LiteralsRoundAndComeBack) {
  EXPECT_EQ(make_literal(DType::f32, 0.1).bits, 0x3dcccccdu);
  EXPECT_EQ(make_literal(DType::bf16, 1.0).bits, 0x3f80u);
  EXPECT_EQ(make_literal(DType::u8, 300).bits, 255u);
  EXPECT_EQ(make_literal(DType::boolean, 2).bits, 1u);
  for (const DType dtype : kAllDTypes)
    EXPECT_EQ(number_of(make_literal(dtype, 1)), 1) << name(dtype);
  EXPECT_EQ(number_of(make_literal(DType::i8, -5)), -5);
}

TEST(Builder, RepeatsRowsAndColumnsBesideTiles) {
  KernelBuilder builder("k", 1);
  const BufferId x = builder.argument("x", DType::i64, 24, true);
  const ValueId tile = builder.lane_index(DType::i64, 3, 8);
  const ValueId row = builder.fold(add, FoldAxis::rows, tile, 3);
  const ValueId column = builder.fold(add, FoldAxis::lanes, tile, 8);
  EXPECT_EQ(builder.type(row), (TileType{DType::i64, 1, 8}));
  EXPECT_EQ(builder.type(builder.add(row, row)), (TileType{DType::i64, 1, 8}));
  EXPECT_EQ(builder.type(builder.add(row, tile)), (TileType{DType::i64, 3, 8}));
  EXPECT_EQ(builder.type(builder.add(column, tile)), (TileType{DType::i64, 3, 8}));
  EXPECT_EQ(builder.type(builder.add(column, row)), (TileType{DType::i64, 3, 8}));
  builder.store({x, builder.index(0), 8, 1, 3, 8}, row);
  EXPECT_NE(print(std::move(builder).finish(1)).find("i64[3x8] = splat"), std::string::npos);
}

TEST(Builder, RefusesWhatDoesNotFit) {
  KernelBuilder builder("k", 1);
  const BufferId x = builder.argument("x", DType::f32, 10, false);
  const ValueId a = builder.lane_index(DType::i64, 2, 8);
  const ValueId b = builder.lane_index(DType::i64, 1, 6);
  const ValueId real = builder.number(DType::f32, 1);
  EXPECT_EQ(error_of([&] { builder.add(a, b); }), "kernel k: add of tiles of 2x8 and 1x6");
  EXPECT_EQ(error_of([&] { builder.add(a, real); }), "kernel k: add of i64 and f32");
  EXPECT_EQ(error_of([&] { builder.call(exp, {a}); }), "kernel k: exp does not accept i64");
  EXPECT_EQ(error_of([&] { builder.call(add, {a}); }), "kernel k: add takes 2 operands, not 1");
  EXPECT_EQ(error_of([&] { builder.store(row(x, builder.index(0), 1), real); }),
            "kernel k: a store to x, which is not marked as written");
  EXPECT_EQ(error_of([&] { builder.fold(subtract, FoldAxis::lanes, a, 8); }),
            "kernel k: a fold with subtract");
  EXPECT_EQ(error_of([&] { builder.fold(add, FoldAxis::rows, a, 3); }),
            "kernel k: a fold of 3 out of 2 elements");
  EXPECT_EQ(error_of([&] { builder.load(row(x, real, 1), 1, 1); }),
            "kernel k: an offset must be one i64, but it is f32");
  EXPECT_EQ(error_of([&] { builder.bitcast(real, DType::i64); }),
            "kernel k: bitcast from f32 to i64");
}

TEST(Verify, FindsAccessesOutsideTheirBuffer) {
  const auto kernel_with = [](std::int64_t offset, bool by_instance) {
    KernelBuilder builder("k", 3);
    const BufferId x = builder.argument("x", DType::f32, 10, true);
    const ValueId start = by_instance ? builder.instance() : builder.index(offset);
    const std::int64_t lanes = by_instance ? 11 : 8;
    builder.store(row(x, start, lanes), builder.number(DType::f32, 0));
    return std::move(builder).finish(1);
  };
  kernel_with(2, false);
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  EXPECT_EQ(first_line(error_of([&] { kernel_with(3, false); })),
            "kernel k: an access to elements 3 to 10 of x, which has 10");
  EXPECT_EQ(first_line(error_of([&] { kernel_with(-1, false); })),
            "kernel k: an access to elements -1 to 6 of x, which has 10");
  EXPECT_EQ(first_line(error_of([&] { kernel_with(0, true); })),
            "kernel k: an access of 11 elements of x, which has 10");
}

TEST(Verify, FindsUsesBeforeAndBehindDefinitions) {
  KernelBuilder builder("k", 2);
  const BufferId x = builder.argument("x", DType::i64, 4, true);
  builder.loop(3, {}, [&](ValueId i, std::span<const ValueId>) -> std::vector<ValueId> {
    builder.store(row(x, i, 1), i);
    return {};
  });
  builder.store(row(x, builder.instance(), 1), builder.instance());
  const Kernel kernel = std::move(builder).finish(1);
  Kernel early = kernel;
  early.values.push_back({DType::i64, 1, 1});
  std::get<Store>(early.body.statements[1].instruction).value = {
      static_cast<std::uint32_t>(early.values.size() - 1)};
  EXPECT_EQ(error_of([&] { verify(early); }).substr(0, 43),
            "kernel k: %2 is used where it is not define");
  Kernel behind = kernel;  // the loop's index, after the loop
  std::get<Store>(behind.body.statements[1].instruction).value =
      std::get<Loop>(kernel.body.statements[0].instruction).body.arguments[0];
  EXPECT_EQ(error_of([&] { verify(behind); }).substr(0, 43),
            "kernel k: %1 is used where it is not define");
  Kernel mistyped = kernel;
  mistyped.values[1].dtype = DType::i32;
  EXPECT_NE(error_of([&] { verify(mistyped); }), "no error");
}

TEST(Operands, ScalarArithmeticRisesAboveAContraction) {
  KernelBuilder builder("k", 4);
  const BufferId x = builder.argument("x", DType::f32, 128, false);
  const BufferId y = builder.argument("y", DType::f32, 1024, true);
  const BufferId places = builder.argument("places", DType::i64, 1, false);
  const ValueId zero = builder.splat(builder.number(DType::f32, 0), 4, 16);
  const ValueId tile = builder.contract({.lhs = x,
                                         .rhs = x,
                                         .lhs_offset = builder.index(0),
                                         .rhs_offset = builder.index(0),
                                         .lhs_row_stride = 1,
                                         .lhs_depth_stride = 4,
                                         .rhs_depth_stride = 16,
                                         .depth = 8,
                                         .active_rows = 4,
                                         .active_lanes = 16,
                                         .accumulator = zero});
  const ValueId place = builder.multiply(builder.instance(), builder.index(64));
  const ValueId read = builder.load({.buffer = places, .offset = builder.index(0)}, 1, 1);
  const ValueId shifted = builder.add(place, read);
  const auto store = [&](ValueId offset) { builder.store({y, offset, 16, 1, 4, 16}, tile); };
  store(place);
  store(shifted);
  Kernel kernel = std::move(builder).finish(1);
  raise_scalars(kernel);
  const std::string text = print(kernel);
  const auto at = [&](std::string_view what) {
    EXPECT_NE(text.find(what), std::string::npos) << what << "\n" << text;
    return text.find(what);
  };
  EXPECT_LT(at("multiply %0"), at("contract")) << text;
  // A load may meet what the contraction's block stores; what needs it stays behind it.
  EXPECT_LT(at("contract"), at("load places")) << text;
  EXPECT_LT(at("load places"), at("= add")) << text;
}

}  // namespace
}  // namespace tenon::kernel

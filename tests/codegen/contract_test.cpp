#include <gtest/gtest.h>

#include "tenon/base/text.h"
#include "tenon/codegen/emit.h"
#include "tenon/kernel/builder.h"
#include "tests/codegen/compiled_kernels.h"

namespace tenon::codegen {
namespace {

using namespace kernel;

struct ContractCase {
  DType lhs = DType::f32, rhs = DType::f32, accumulate = DType::f32;
  std::int64_t rows = 12, lanes = 32, depth = 9;
  std::int64_t active_rows = 12, active_lanes = 32;
  bool lhs_transposed = false, rhs_transposed = false;
  bool starts_from_memory = false;
  std::int64_t taps = 1;  // a loop around the contraction
  // Asked for in front of it: strides of rows and lanes.
  std::optional<std::pair<std::int64_t, std::int64_t>> prefetch = std::nullopt;
};

Kernel contract_kernel(int number, const ContractCase& c) {
  KernelBuilder b(fmt::format("contract_{}", number), 1);
  const std::int64_t depth = c.depth * c.taps;
  const BufferId x = b.argument("x", c.lhs, std::max<std::int64_t>(1, c.rows * depth), false);
  const BufferId w = b.argument("w", c.rhs, std::max<std::int64_t>(1, c.lanes * depth), false);
  const BufferId start = b.argument("start", c.accumulate, c.rows * c.lanes, false);
  const BufferId y = b.argument("y", c.accumulate, c.rows * c.lanes, true);
  const Access whole{start, b.index(0), c.lanes, 1, c.rows, c.lanes};
  if (c.prefetch)
    b.prefetch({start, b.index(0), c.prefetch->first, c.prefetch->second, c.rows, c.lanes});
  ValueId sum = c.starts_from_memory ? b.load(whole, c.rows, c.lanes)
                                     : b.splat(b.number(c.accumulate, 2), c.rows, c.lanes);
  const auto body = [&](ValueId tap, std::span<const ValueId> carried) -> std::vector<ValueId> {
    const ValueId k = b.multiply(tap, b.index(c.depth));
    return {b.contract({.lhs = x,
                        .rhs = w,
                        .lhs_offset = b.multiply(k, b.index(c.lhs_transposed ? c.rows : 1)),
                        .rhs_offset = b.multiply(k, b.index(c.rhs_transposed ? 1 : c.lanes)),
                        .lhs_row_stride = c.lhs_transposed ? 1 : depth,
                        .lhs_depth_stride = c.lhs_transposed ? c.rows : 1,
                        .rhs_depth_stride = c.rhs_transposed ? 1 : c.lanes,
                        .rhs_lane_stride = c.rhs_transposed ? depth : 1,
                        .depth = c.depth,
                        .active_rows = c.active_rows,
                        .active_lanes = c.active_lanes,
                        .accumulator = carried[0]})};
  };
  sum = b.loop(c.taps, {{sum}}, body)[0];
  Access out = whole;
  out.buffer = y;
  b.store(out, sum);
  return std::move(b).finish(1);
}

void check_cases(const std::vector<ContractCase>& cases, bool all_compilers = false) {
  std::vector<Kernel> kernels;
  for (const ContractCase& c : cases)
    kernels.push_back(contract_kernel(static_cast<int>(kernels.size()), c));
  expect_same_bits(kernels, {.all_compilers = all_compilers});
}

ContractCase tile(std::int64_t rows, std::int64_t lanes) {
  return {.rows = rows, .lanes = lanes, .active_rows = rows, .active_lanes = lanes};
}

TEST(Contract, TilesOfManySizes) {
  std::vector<ContractCase> cases;
  for (const auto& [rows, lanes] : std::vector<std::pair<int, int>>{{12, 32},
                                                                    {14, 32},
                                                                    {6, 16},
                                                                    {1, 32},
                                                                    {8, 10},
                                                                    {5, 1},
                                                                    {1, 1},
                                                                    {3, 7},
                                                                    {2, 24},
                                                                    {4, 13},
                                                                    {1, 64},
                                                                    {33, 16},
                                                                    {40, 70},
                                                                    {13, 100}})
    cases.push_back(tile(rows, lanes));
  check_cases(cases, true);
}

TEST(Contract, EdgesAreNeitherReadNorChanged) {
  std::vector<ContractCase> cases;
  for (const auto& [rows, lanes] : std::vector<std::pair<int, int>>{
           {12, 10}, {5, 32}, {11, 31}, {1, 1}, {0, 32}, {12, 0}, {7, 20}}) {
    ContractCase one = tile(12, 32);
    one.active_rows = rows;
    one.active_lanes = lanes;
    cases.push_back(one);
    one.starts_from_memory = true;
    cases.push_back(one);
  }
  check_cases(cases);
}

TEST(Contract, OrdersOfOperandsAndDepths) {
  std::vector<ContractCase> cases;
  for (const std::int64_t depth : {0, 1, 50})
    for (const bool lhs : {false, true})
      for (const bool rhs : {false, true}) {
        ContractCase one = tile(6, 16);
        one.depth = depth;
        one.lhs_transposed = lhs;
        one.rhs_transposed = rhs;
        one.starts_from_memory = lhs;
        cases.push_back(one);
      }
  ContractCase large = tile(40, 70);
  large.rhs_transposed = true;
  cases.push_back(large);
  check_cases(cases);
}

TEST(Contract, ElementTypes) {
  std::vector<ContractCase> cases;
  const auto add = [&](DType lhs, DType rhs, DType accumulate) {
    for (const auto& [rows, lanes] : std::vector<std::pair<int, int>>{{3, 7}, {1, 1}}) {
      ContractCase one = tile(rows, lanes);
      one.lhs = lhs;
      one.rhs = rhs;
      one.accumulate = accumulate;
      one.starts_from_memory = rows == 3;
      cases.push_back(one);
    }
  };
  add(DType::f64, DType::f64, DType::f64);
  add(DType::f32, DType::f32, DType::f64);
  add(DType::f16, DType::f16, DType::f32);
  add(DType::bf16, DType::bf16, DType::f32);
  add(DType::bf16, DType::f32, DType::f32);
  for (const DType dtype : {DType::i8, DType::u8, DType::i32, DType::u32, DType::i64, DType::u64})
    add(dtype, dtype, dtype);
  add(DType::i8, DType::u8, DType::i32);
  check_cases(cases);
}

TEST(Contract, LoopsAroundItKeepTheirAccumulators) {
  std::vector<ContractCase> cases;
  for (const std::int64_t taps : {2, 9}) {
    ContractCase one = tile(12, 32);
    one.taps = taps;
    cases.push_back(one);
    one.starts_from_memory = true;
    one.active_lanes = 27;
    cases.push_back(one);
    one.accumulate = one.lhs = one.rhs = DType::i32;
    cases.push_back(one);
  }
  check_cases(cases);
  // The accumulators stay in registers: one start and one end, around the loop.
  const std::string text = emit_c(contract_kernel(0, cases[0]));
  EXPECT_EQ(text.find("// 12 x 32 accumulators"), text.rfind("// 12 x 32 accumulators")) << text;
  EXPECT_LT(text.find("// 12 x 32 accumulators"), text.find("for (int64_t v")) << text;
}

TEST(Contract, WhatIsStoredBehindItIsPrefetchedWhileItRuns) {
  ContractCase one = tile(12, 32);
  one.depth = 50;
  const std::string text = emit_c(contract_kernel(0, one));
  // Two cache lines of a row in each of as many turns as there are rows.
  const std::size_t first = text.find("__builtin_prefetch(&y[0 + turn * 32], 1)");
  EXPECT_NE(first, std::string::npos) << text;
  EXPECT_NE(text.find("__builtin_prefetch(&y[0 + turn * 32 + 16], 1)"), std::string::npos) << text;
  EXPECT_LT(first, text.find("tenon_fma_f32w")) << text;
  EXPECT_NE(text.find("end = (turn + 1) * 50 / 12; k < end"), std::string::npos) << text;
  one.taps = 9;
  const std::string looped = emit_c(contract_kernel(0, one));
  EXPECT_NE(looped.find(" * 12 / 9; ahead < "), std::string::npos) << looped;
}

std::size_t count_of(std::string_view part, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

TEST(Contract, WhatIsAskedForInFrontOfItIsSharedOutWhereLanesAreContiguous) {
  ContractCase one = tile(12, 32);
  one.depth = 50;
  one.prefetch = {32, 1};
  const std::string rows = emit_c(contract_kernel(0, one));
  EXPECT_EQ(count_of("__builtin_prefetch(&start[", rows), 2) << rows;
  EXPECT_EQ(count_of("__builtin_prefetch(&start[0 + turn * 32], 0, 2)", rows), 1) << rows;
  EXPECT_EQ(count_of("__builtin_prefetch(&start[0 + turn * 32 + 16], 0, 2)", rows), 1) << rows;
  // A line for each lane of columns: all at once, where it stands.
  one.prefetch = {1, 12};
  const std::string columns = emit_c(contract_kernel(0, one));
  EXPECT_EQ(count_of("__builtin_prefetch(&start[", columns), 1) << columns;
  EXPECT_LT(columns.find("__builtin_prefetch(&start[r + l * 12], 0, 2)"),
            columns.find("accumulators"))
      << columns;
}

// Rows that are not whole lines may end in one more than they fill.
TEST(Contract, EveryLineOfTheEpilogueIsAskedFor) {
  const auto asked = [](std::int64_t lanes) {
    std::vector<std::string> places;
    const std::string text = emit_c(contract_kernel(0, tile(4, lanes)));
    for (const std::string_view line : split(text, '\n'))
      if (line.find("__builtin_prefetch(&y") != line.npos) places.emplace_back(trim(line));
    return places;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(asked(32), (Texts{"__builtin_prefetch(&y[0 + turn * 32], 1);",
                              "__builtin_prefetch(&y[0 + turn * 32 + 16], 1);"}));
  EXPECT_EQ(asked(24), (Texts{"__builtin_prefetch(&y[0 + turn * 24], 1);",
                              "__builtin_prefetch(&y[0 + turn * 24 + 16], 1);",
                              "__builtin_prefetch(&y[0 + turn * 24 + 23], 1);"}));
}

}  // namespace
}  // namespace tenon::codegen

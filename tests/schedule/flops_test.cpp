#include <gtest/gtest.h>

#include "tenon/ir/build.h"
#include "tenon/kernel/work.h"
#include "tenon/schedule/plan.h"

namespace tenon::schedule {
namespace {

using ir::Builder;
using ir::Role;
using ir::Value;

double flops_of(const ir::Graph& graph) {
  double total = 0;
  for (const kernel::Kernel& kernel : make_plan(graph, {}).kernels)
    total += kernel::count_flops(kernel);
  return total;
}

double product_flops(std::int64_t rows, std::int64_t depth, std::int64_t lanes) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {rows, depth}}, Role::data, {}});
  const Value y = b.input({"y", {DType::f32, {depth, lanes}}, Role::data, {}});
  return flops_of(std::move(b).finish({{"", ir::matmul(b, x, y), std::nullopt, ir::Merge::carry}}));
}

// Tiles at the edges are smaller, and are counted as such. (Packed panels are whole vectors wide.)
TEST(CountFlops, OfProductsIsTwoForEachPairOfFactors) {
  EXPECT_EQ(product_flops(70, 50, 40), 2.0 * 70 * 50 * 40);
  EXPECT_EQ(product_flops(128, 784, 128), 2.0 * 128 * 784 * 128);
  EXPECT_EQ(product_flops(3, 17, 10), 2.0 * 3 * 17 * 10);
}

TEST(CountFlops, OfElementsIsOneForEachFunction) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {1003}}, Role::data, {}});
  const Value y = b.input({"y", {DType::f32, {1003}}, Role::data, {}});
  const Value z = ir::add(b, ir::multiply(b, x, y), ir::exp(b, x));
  EXPECT_EQ(flops_of(std::move(b).finish({{"", z, std::nullopt, ir::Merge::carry}})), 3 * 1003);
}

TEST(CountFlops, LeavesIntegersOut) {
  Builder b;
  const Value x = b.input({"x", {DType::i32, {64}}, Role::data, {}});
  EXPECT_EQ(flops_of(std::move(b).finish({{"", ir::add(b, x, x), std::nullopt, ir::Merge::carry}})),
            0);
}

}  // namespace
}  // namespace tenon::schedule

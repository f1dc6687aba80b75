#include <gtest/gtest.h>

#include "tenon/autodiff/grad.h"
#include "tenon/ir/build.h"
#include "tenon/kernel/builder.h"
#include "tenon/kernel/work.h"
#include "tenon/schedule/plan.h"

namespace tenon::schedule {
namespace {

using ir::Builder;
using ir::Role;
using ir::Value;

kernel::Work work_of(const ir::Graph& graph) {
  kernel::Work total;
  for (const kernel::Kernel& kernel : make_plan(graph, {}).kernels) {
    const kernel::Work work = kernel::count_work(kernel);
    total.flops += work.flops;
    total.bytes += work.bytes;
  }
  return total;
}
double flops_of(const ir::Graph& graph) { return work_of(graph).flops; }

double product_flops(std::int64_t rows, std::int64_t depth, std::int64_t lanes) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {rows, depth}}, Role::data, {}});
  const Value y = b.input({"y", {DType::f32, {depth, lanes}}, Role::data, {}});
  return flops_of(std::move(b).finish({{"", ir::matmul(b, x, y), std::nullopt, ir::Merge::carry}}));
}

// Tiles at the edges are smaller, and are counted as such; those that read packed panels are whole
// vectors wide, and what lies behind the last lane is not counted.
TEST(CountWork, OfProductsIsTwoForEachPairOfFactors) {
  EXPECT_EQ(product_flops(32, 64, 10), 2.0 * 32 * 64 * 10);
  EXPECT_EQ(product_flops(100, 300, 33), 2.0 * 100 * 300 * 33);
  EXPECT_EQ(product_flops(70, 50, 40), 2.0 * 70 * 50 * 40);
  EXPECT_EQ(product_flops(128, 784, 128), 2.0 * 128 * 784 * 128);
  EXPECT_EQ(product_flops(3, 17, 10), 2.0 * 3 * 17 * 10);
}

// Narrow layers and both of their gradients, whose lanes fill no vector.
TEST(CountWork, OfGradientsOfProductsIsThatOfTheProducts) {
  for (const std::int64_t classes : {3, 10, 17}) {
    Builder b;
    const Value x = b.input({"x", {DType::f32, {32, 64}}, Role::data, {}});
    const Value w = b.input({"w", {DType::f32, {64, classes}}, Role::data, {}});
    const Value up = b.input({"up", {DType::f32, {32, classes}}, Role::data, {}});
    const Value y = ir::matmul(b, x, w);
    const std::vector<Value> gradients =
        autodiff::append_gradients(b, std::array{y}, std::array{up}, std::array{x, w});
    std::vector<ir::Output> outputs;
    for (const Value value : {y, gradients[0], gradients[1]})
      outputs.push_back({"", value, std::nullopt, ir::Merge::carry});
    EXPECT_EQ(flops_of(std::move(b).finish(std::move(outputs))),
              3 * 2.0 * 32 * 64 * static_cast<double>(classes))
        << classes;
  }
}

// Forward and both gradients, of 6 and 16 filters: zeros of padding count, lanes behind the last
// filter do not.
TEST(CountWork, OfConvolutionsIsThatOfTheirShapes) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {8, 14, 14, 6}}, Role::data, {}});
  const Value w = b.input({"w", {DType::f32, {5, 5, 6, 16}}, Role::data, {}});
  const Value up = b.input({"up", {DType::f32, {8, 10, 10, 16}}, Role::data, {}});
  ir::Convolution op;
  op.input_batch = op.output_batch = 0;
  op.input_feature = op.output_feature = 3;
  op.input_spatial = op.output_spatial = {1, 2};
  op.kernel_spatial = {0, 1};
  op.kernel_input = 2;
  op.kernel_output = 3;
  op.low = op.high = {0, 0};
  op.strides = op.base_dilation = op.window_dilation = {1, 1};
  const Value y = b.add(op, {x, w});
  const std::vector<Value> gradients =
      autodiff::append_gradients(b, std::array{y}, std::array{up}, std::array{x, w});
  std::vector<ir::Output> outputs;
  for (const Value value : {y, gradients[0], gradients[1]})
    outputs.push_back({"", value, std::nullopt, ir::Merge::carry});
  const double forward = 2.0 * 8 * 10 * 10 * 16 * 5 * 5 * 6;
  const double of_input = 2.0 * 8 * 14 * 14 * 6 * 5 * 5 * 16;
  const double of_kernel = 2.0 * 8 * 10 * 10 * 5 * 5 * 6 * 16;
  const double flops = flops_of(std::move(b).finish(std::move(outputs)));
  EXPECT_GE(flops, forward + of_input + of_kernel);
  // The sums over images are cut into blocks, which are then added.
  EXPECT_LE(flops, forward + of_input + of_kernel + 8 * 2 * 5 * 5 * 6 * 16);
}

TEST(CountWork, OfElementsIsOneForEachFunction) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {1003}}, Role::data, {}});
  const Value y = b.input({"y", {DType::f32, {1003}}, Role::data, {}});
  const Value z = ir::add(b, ir::multiply(b, x, y), ir::exp(b, x));
  EXPECT_EQ(flops_of(std::move(b).finish({{"", z, std::nullopt, ir::Merge::carry}})), 3 * 1003);
}

TEST(CountWork, CountsBytesOfWhatIsTaken) {
  Builder b;
  const Value table = b.input({"table", {DType::f32, {100000, 70}}, Role::data, {}});
  const Value rows = b.input({"rows", {DType::i32, {32, 1}}, Role::data, {}});
  const Value taken = b.add(ir::Gather{{0}, 0}, {table, rows});
  // 32 rows of 70 numbers are read and written.
  EXPECT_EQ(work_of(std::move(b).finish({{"", taken, std::nullopt, ir::Merge::carry}})).bytes,
            2 * 32 * 70 * 4 + 32 * 4);
}

TEST(CountWork, CountsBytesThatAreReadAgainOnce) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {256, 300}}, Role::data, {}});
  const Value y = b.input({"y", {DType::f32, {300, 128}}, Role::data, {}});
  const ir::Graph graph =
      std::move(b).finish({{"", ir::matmul(b, x, y), std::nullopt, ir::Merge::carry}});
  const Plan plan = make_plan(graph, {});
  EXPECT_EQ(kernel::count_work(plan.kernels.back()).bytes, 4 * (256 * 300 + 300 * 128 + 256 * 128));
}

// Edges are branches on indices: only those are followed. (Step by step this would take days.)
TEST(CountWork, FollowsOnlyIndicesThatDecide) {
  constexpr std::int64_t kMany = 2'000'000;
  kernel::KernelBuilder b("k", kMany);
  const kernel::BufferId y = b.argument("y", DType::f32, 64, true);
  const auto add_row = [&](std::int64_t lanes) {
    const kernel::ValueId row =
        b.load({.buffer = y, .offset = b.index(0), .active_lanes = lanes}, 1, lanes);
    b.store({.buffer = y, .offset = b.index(0), .active_lanes = lanes}, b.add(row, row));
  };
  const auto nothing = std::span<const kernel::ValueId>();
  b.loop(kMany, nothing, [&](kernel::ValueId, std::span<const kernel::ValueId>) {
    b.loop(1000, nothing, [&](kernel::ValueId i, std::span<const kernel::ValueId>) {
      const kernel::ValueId last = b.index(999);
      b.if_true(b.call(ScalarFunction::less, {i, last}), [&] { add_row(16); });
      b.if_true(b.call(ScalarFunction::equal, {i, last}), [&] { add_row(3); });
      return std::vector<kernel::ValueId>();
    });
    return std::vector<kernel::ValueId>();
  });
  const double each = 999 * 16 + 3;
  EXPECT_EQ(kernel::count_work(std::move(b).finish(1)).flops, double{kMany} * kMany * each);
}

// A branch within a loop that depends on the instance.
TEST(CountWork, FollowsIndicesFromOutside) {
  kernel::KernelBuilder b("k", 10);
  const kernel::BufferId y = b.argument("y", DType::f32, 1000, true);
  const kernel::ValueId instance = b.instance();
  b.loop(7, {}, [&](kernel::ValueId i, std::span<const kernel::ValueId>) {
    b.if_true(b.call(ScalarFunction::less, {b.add(instance, i), b.index(4)}), [&] {
      const kernel::ValueId row =
          b.load({.buffer = y, .offset = b.index(0), .active_lanes = 5}, 1, 5);
      b.store({.buffer = y, .offset = b.index(0), .active_lanes = 5}, b.add(row, row));
    });
    return std::vector<kernel::ValueId>();
  });
  const kernel::Work work = kernel::count_work(std::move(b).finish(1));
  EXPECT_EQ(work.flops, (4 + 3 + 2 + 1) * 5);
  EXPECT_EQ(work.bytes, 4 * 2 * 10 * 5);
}

TEST(CountWork, LeavesIntegersOut) {
  Builder b;
  const Value x = b.input({"x", {DType::i32, {64}}, Role::data, {}});
  EXPECT_EQ(flops_of(std::move(b).finish({{"", ir::add(b, x, x), std::nullopt, ir::Merge::carry}})),
            0);
}

}  // namespace
}  // namespace tenon::schedule

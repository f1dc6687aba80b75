// What the tests of device cpu share: whole numbers as inputs, a comparison with the reference, and
// a step that trains.
#pragma once
#include <gtest/gtest.h>

#include "tenon/backends/cpu/cpu.h"
#include "tenon/backends/reference/reference.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"
#include "tenon/ir/build.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {

inline HostTensor whole_numbers(const TensorType& type, std::uint64_t seed) {
  ThreefrySequence random{seed};
  HostTensor tensor({DType::f64, type.shape});
  for (double& element : tensor.as<double>()) element = static_cast<double>(random.below(7)) - 3;
  return converted(tensor, type.dtype);
}

inline std::vector<HostTensor> inputs_of(const ir::Graph& graph) {
  std::vector<HostTensor> tensors;
  for (const ir::Input& input : graph.inputs())
    tensors.push_back(whole_numbers(input.type, tensors.size() + 1));
  return tensors;
}

inline ir::Output update(ir::Value value, std::uint32_t input) {
  return {"", value, input, ir::Merge::carry};
}
inline ir::Output result(ir::Value value) { return {"", value, std::nullopt, ir::Merge::carry}; }

class CpuTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> open_with(int threads) {
    return open_cpu(BackendOptions{threads, folder_.path().string()});
  }
  void expect_as_reference(const ir::Graph& graph, int steps = 3) {
    const std::vector<HostTensor> inputs = inputs_of(graph);
    const auto expected = run_graph(*open_reference(), graph, inputs, steps);
    const auto actual = run_graph(*open_with(2), graph, inputs, steps);
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(expected[i], actual[i]) << "value " << i << "\nexpected " << to_string(expected[i])
                                        << "\ngot " << to_string(actual[i]);
  }

  TemporaryFolder folder_;
};

// One step of least squares: gradient, momentum, counter, and a loss.
inline ir::Graph regression_step(std::int64_t rows, std::int64_t width) {
  using ir::Role;
  using ir::Value;
  ir::Builder b;
  const TensorType weights{DType::f32, {width, 8}};
  const Value x = b.input({"x", {DType::f32, {rows, width}}, Role::data, {}});
  const Value y = b.input({"y", {DType::f32, {rows, 8}}, Role::data, {}});
  const Value w = b.input({"w", weights, Role::state, {}});
  const Value v = b.input({"v", weights, Role::state, {}});
  const Value n = b.input({"n", {DType::i64, {}}, Role::state, {}});
  const Value error = ir::subtract(b, ir::matmul(b, x, w), y);
  const Value gradient = ir::matmul(b, ir::transpose(b, x, {1, 0}), error);
  const Value half = ir::splat(b, 0.5, weights), rate = ir::splat(b, 0x1p-10, weights);
  const Value velocity = ir::add(b, ir::multiply(b, v, half), gradient);
  const Value next = ir::subtract(b, w, ir::multiply(b, velocity, rate));
  const Value loss = ir::reduce_sum(b, ir::multiply(b, error, error), {0, 1});
  const Value count = ir::add(b, n, ir::constant(b, make_scalar<std::int64_t>(1)));
  return std::move(b).finish(
      {result(loss), update(next, 2), update(velocity, 3), update(count, 4), result(error)});
}

}  // namespace tenon::backends

// Device cpu gives the same bits with any number of threads, compiler and width of vectors.
#include "tenon/backends/cpu/compiler.h"
#include "tests/backends/cpu_testing.h"

namespace tenon::backends {
namespace {

using ir::Builder;
using ir::Role;
using ir::Value;
using CpuBits = CpuTest;

TEST_F(CpuBits, EqualBitsForAnyNumberOfThreads) {
  const ir::Graph graph = regression_step(700, 301);
  std::vector<HostTensor> inputs;
  for (const ir::Input& input : graph.inputs()) {
    ThreefrySequence random{inputs.size()};
    HostTensor tensor({DType::f64, input.type.shape});
    for (double& element : tensor.as<double>())
      element = static_cast<double>(random.below(1000)) / 999 - 0.5;
    inputs.push_back(converted(tensor, input.type.dtype));
  }
  const auto expected = run_graph(*open_with(1), graph, inputs, 3);
  for (const int threads : {2, 3, 7, 16}) {
    const auto actual = run_graph(*open_with(threads), graph, inputs, 3);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(expected[i], actual[i]) << threads << " threads, value " << i;
  }
}

// Activations, norms, attention, cross entropy and Adam, on shapes that fill no vector.
ir::Graph network_step() {
  Builder b;
  const TensorType type{DType::f32, {37, 45}};
  const auto vector = [&](const char* name, std::int64_t size) {
    return b.input({name, {DType::f32, {size}}, Role::data, {}});
  };
  const Value x = b.input({"x", type, Role::data, {}});
  const Value w = b.input({"w", {DType::f32, {45, 45}}, Role::state, {}});
  const Value m = b.input({"m", {DType::f32, {45, 45}}, Role::state, {}});
  const Value v = b.input({"v", {DType::f32, {45, 45}}, Role::state, {}});
  const Value labels = b.input({"labels", {DType::i32, {37}}, Role::data, {}});
  const Value key = b.input({"key", {DType::u32, {2}}, Role::key, {}});
  const Value rate = ir::constant(b, make_scalar<float>(0.01f));
  const Value half = ir::constant(b, make_scalar<float>(0.5f));
  Value y = ir::matmul(b, x, w);
  y = ir::elementwise(b, ScalarFunction::tanh, {y});
  y = b.add(ir::LayerNorm{}, {y, vector("scale", 45), vector("offset", 45)});
  y = ir::elementwise(b, ScalarFunction::erf, {y});
  y = b.add(ir::Attention{0.3, true}, {y, x, y});
  const Value bits = b.add(ir::RandomBits{{37, 45}}, {key});
  const Value noise = ir::cast(b, bits, DType::f32);
  y = ir::add(b, y, ir::multiply(b, noise, ir::splat(b, 0x1p-32, type)));
  const Value loss = b.add(ir::SparseCrossEntropy{}, {y, labels});
  const Value softmax = b.add(ir::Softmax{1}, {y});
  const Value gradient = ir::matmul(b, ir::transpose(b, x, {1, 0}), softmax);
  const Value next =
      b.add(ir::AdamUpdate{}, {w, gradient, m, v, rate, half, half, rate, rate, half});
  return std::move(b).finish({result(loss), update(next, 1), update({next.node, 1}, 2),
                              update({next.node, 2}, 3), result(ir::reduce_sum(b, y, {0, 1})),
                              result(ir::reduce_sum(b, softmax, {0}))});
}

TEST_F(CpuBits, EqualBitsFromEveryCompilerAndVectorWidth) {
  const ir::Graph graph = network_step();
  std::vector<HostTensor> inputs;
  for (const ir::Input& input : graph.inputs()) {
    ThreefrySequence random{inputs.size()};
    HostTensor tensor({DType::f64, input.type.shape});
    for (double& element : tensor.as<double>())
      element = is_float(input.type.dtype) ? static_cast<double>(random.below(1000)) / 999 - 0.5
                                           : static_cast<double>(random.below(45));
    inputs.push_back(converted(tensor, input.type.dtype));
  }
  std::vector<HostTensor> expected;
  for (const char* name : {"gcc", "clang", "clang-14"})
    for (const char* width : {"64", "32"}) {
      ScopedVariable compiler("TENON_CC", name), vectors("TENON_VECTOR_BYTES", width);
      try {
        find_compiler();
      } catch (const BackendError&) {
        continue;  // not installed
      }
      const auto actual = run_graph(*open_with(2), graph, inputs, 3);
      if (expected.empty()) expected = actual;
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(expected[i], actual[i]) << name << ", " << width << " bytes, value " << i;
    }
  ASSERT_FALSE(expected.empty());
}

}  // namespace
}  // namespace tenon::backends

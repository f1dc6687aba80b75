// One backend and one cache folder used by several threads of one process.
#include <gtest/gtest.h>

#include <thread>

#include "tenon/backends/cpu/code_cache.h"
#include "tenon/backends/cpu/cpu.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/ir/build.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

constexpr int kThreads = 4;

template <class Work>
void run_in_threads(const Work& work) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back([&work, t] { work(t); });
  for (std::thread& thread : threads) thread.join();
}

// y = x w, twice: kernels of many instances, of which some pack.
ir::Graph products(std::int64_t rows) {
  ir::Builder b;
  const ir::Value x = b.input({"x", {DType::f32, {rows, 64}}, ir::Role::data, {}});
  const ir::Value w = b.input({"w", {DType::f32, {64, 64}}, ir::Role::state, {}});
  const ir::Value y = ir::matmul(b, ir::matmul(b, x, w), w);
  const ir::Value next = ir::multiply(b, w, ir::splat(b, 0.5, b.type(w)));
  return std::move(b).finish(
      {{"", y, std::nullopt, ir::Merge::carry}, {"", next, 1, ir::Merge::carry}});
}

std::vector<HostTensor> inputs_for(const ir::Graph& graph) {
  std::vector<HostTensor> tensors;
  for (const ir::Input& input : graph.inputs()) {
    HostTensor tensor({DType::f64, input.type.shape});
    double value = 0;
    for (double& element : tensor.as<double>()) element = (value += 1) < 50 ? value : value = -3;
    tensors.push_back(converted(tensor, input.type.dtype));
  }
  return tensors;
}

// Equal graphs share a program, different ones do not; the pools are shared.
TEST(ParallelBackend, CompilesAndRuns) {
  const TemporaryFolder folder;
  const auto backend = open_cpu({2, folder.path().string()});
  for (const std::int64_t rows : {256, 300}) {
    const ir::Graph graph = products(rows), other = products(rows + 1);
    CompileOptions parallel;
    parallel.skip = {"small_on_one_thread"};
    const auto expected = run_graph(*backend, graph, inputs_for(graph), 3);
    const auto expected_other = run_graph(*backend, other, inputs_for(other), 3);
    run_in_threads([&](int t) {
      const ir::Graph& mine = t % 2 == 0 ? graph : other;
      const CompileOptions options = t < 2 ? CompileOptions() : parallel;
      EXPECT_EQ(run_graph(*backend, mine, inputs_for(mine), 3, options),
                t % 2 == 0 ? expected : expected_other);
    });
  }
}

TEST(ParallelBackend, OneFolderTakesTheCodeOfAll) {
  const TemporaryFolder folder;
  run_in_threads([&](int t) {
    for (int i = 0; i < 4; ++i) {
      // Some sources are everybody's.
      const int number = i % 2 == 0 ? i : 10 * t + i;
      const BuiltCode code = build_code(
          {fmt::format("__attribute__((visibility(\"default\"))) int answer(void) {{ return {}; }}",
                       number)},
          folder.path(), nullptr);
      EXPECT_EQ(reinterpret_cast<int (*)()>(code.library->symbol("answer"))(), number);
    }
  });
  EXPECT_EQ(cache_entries(folder.path()).entries, 2 + 2 * kThreads);
}

}  // namespace
}  // namespace tenon::backends

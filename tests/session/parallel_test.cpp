// What several threads do at once: trace, compile into one folder, run on pools of their own.
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "tenon/session/session.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/linalg.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"
#include "tests/backends/backends_testing.h"

namespace tenon {
namespace {

constexpr int kThreads = 4;

// Every thread does the work; all get the same.
template <class Work>
void expect_equal_results(const Work& work) {
  std::array<std::vector<HostTensor>, kThreads> results;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] { results[static_cast<std::size_t>(t)] = work(t); });
  for (std::thread& thread : threads) thread.join();
  ASSERT_FALSE(results[0].empty());
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

// So large that kernels run on several threads.
constexpr std::int64_t kRows = 256, kWidth = 96;

StepResult gradient_step(const Tensor& x, const Variable& weights) {
  const Tensor y = tanh(matmul(x, Tensor(weights)));
  const Tensor loss = mean(y * y);
  return {{loss}, {assign(weights, Tensor(weights) - matmul(transpose(x), y) * 0.001f)}};
}

std::vector<HostTensor> train(const std::string& cache_folder, int steps) {
  std::vector<float> values(kRows * kWidth), start(kWidth * kWidth);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i % 13) / 13 - 0.4f;
  for (std::size_t i = 0; i < start.size(); ++i) start[i] = static_cast<float>(i % 7) / 70 - 0.03f;
  const Variable weights(make_tensor<float>({kWidth, kWidth}, start), "weights");
  Session session("cpu", {.threads = 2, .cache_folder = cache_folder});
  const Tensor x = placeholder("x", {DType::f32, {kRows, kWidth}});
  CompiledStep step = session.compile(std::array{x}, gradient_step(x, weights));
  const HostTensor data = make_tensor<float>({kRows, kWidth}, values);
  std::vector<HostTensor> results;
  for (int i = 0; i < steps; ++i) results = step.run(std::array{HostView(data)});
  results.push_back(session.read(weights));
  return results;
}

TEST(ParallelSessions, WithPoolsOfTheirOwnAndOneCacheFolder) {
  const backends::TemporaryFolder folder;
  expect_equal_results([&](int) { return train(folder.path().string(), 20); });
}

TEST(ParallelSessions, ComeAndGo) {
  const backends::TemporaryFolder folder;
  expect_equal_results([&](int) {
    std::vector<HostTensor> all;
    for (int i = 0; i < 5; ++i)
      for (HostTensor& tensor : train(folder.path().string(), 2)) all.push_back(std::move(tensor));
    return all;
  });
}

}  // namespace
}  // namespace tenon

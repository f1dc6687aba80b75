// Prints what calling a compiled step takes, beside what it computes: the time of a step that adds
// one to one number, from the call to its return. And how sessions of several threads scale: the
// steps per second of one session on one core, and of as many as there are cores, each with a
// thread of its own.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "tenon/base/cpu_info.h"
#include "tenon/session/session.h"
#include "tenon/tensor/functions.h"

namespace {

using namespace tenon;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The least over blocks: whatever else runs on the machine only adds.
double seconds_per_call() {
  constexpr int kBlocks = 50, kCalls = 20000;
  Session session("cpu", {.threads = 1});
  const Variable count(HostTensor({DType::f32, {1}}), "count");
  CompiledStep step = session.compile({}, {{}, {assign(count, Tensor(count) + 1.0f)}});
  double least = 1;
  for (int block = 0; block < kBlocks; ++block) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < kCalls; ++i) step.run(std::span<backends::Buffer* const>(), {});
    least = std::min(least, seconds_since(start) / kCalls);
  }
  return least;
}

constexpr std::int64_t kRows = 32, kInputs = 784, kUnits = 128;

// Steps per second of a layer's gradient descent.
double train(double seconds) {
  Session session("cpu", {.threads = 1});
  const Variable weights(HostTensor({DType::f32, {kInputs, kUnits}}), "weights");
  const Tensor x = placeholder("x", {DType::f32, {kRows, kInputs}});
  const Tensor y = tanh(matmul(x, Tensor(weights)) + 0.1f);
  CompiledStep step = session.compile(
      std::array{x}, {{}, {assign(weights, Tensor(weights) - matmul(transpose(x), y) * 1e-3f)}});
  const HostTensor zeros({DType::f32, {kRows, kInputs}});
  backends::Buffer data = session.upload(HostView(zeros));
  std::vector<backends::Buffer*> inputs{&data};
  step.run(inputs, {});
  std::int64_t steps = 0;
  const Clock::time_point start = Clock::now();
  while (seconds_since(start) < seconds) {
    step.run(inputs, {});
    ++steps;
  }
  return static_cast<double>(steps) / seconds_since(start);
}

double train_in_threads(int threads, double seconds) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::jthread> running;
  for (double& rate : rates) running.emplace_back([&rate, seconds] { rate = train(seconds); });
  running.clear();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace

int main() {
  constexpr double kSeconds = 0.5;
  constexpr int kRounds = 5;
  const int cores = tenon::usable_cores();
  fmt::print("one call of a step: {:.0f} ns\n", seconds_per_call() * 1e9);
  double alone = 0, together = 0;
  for (int round = 0; round < kRounds; ++round) {
    alone = std::max(alone, train_in_threads(1, kSeconds));
    together = std::max(together, train_in_threads(cores, kSeconds));
  }
  fmt::print("steps per second: {:.0f} of one session, {:.0f} of {}: {:.2f} times as many\n", alone,
             together, cores, together / alone);
  return 0;
}

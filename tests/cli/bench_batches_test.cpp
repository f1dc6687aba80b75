// The batches and the blocks of tenon bench.
#include "tenon/cli/bench_batches.h"

#include <gtest/gtest.h>

#include "tenon/cli/block_times.h"
#include "tenon/data/epoch_order.h"

namespace tenon::cli {
namespace {

constexpr std::int64_t kSamples = 11;

// Sample i is [i].
data::Dataset numbered_samples() {
  HostTensor x({DType::f32, {kSamples, 1}}), y({DType::i32, {kSamples}});
  for (std::size_t i = 0; i < kSamples; ++i) {
    x.as<float>()[i] = static_cast<float>(i);
    y.as<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  }
  return {"numbers", data::Array(std::move(x)), data::Array(std::move(y))};
}

std::vector<std::int64_t> samples_of(const data::Batch& batch) {
  std::vector<std::int64_t> samples;
  for (const float value : batch.x.as<float>()) samples.push_back(static_cast<std::int64_t>(value));
  EXPECT_EQ(samples, batch.indices);
  return samples;
}

// Places [3 * place, 3 * place + 3) of a pass.
std::vector<std::int64_t> expected_samples(std::int64_t pass, std::int64_t place, bool shuffle) {
  const std::vector<std::int64_t> order =
      data::epoch_order(kSamples, 7, static_cast<std::uint64_t>(pass), shuffle);
  return {order.begin() + 3 * place, order.begin() + 3 * place + 3};
}

TEST(BenchBatches, AreThoseOfTheirPassesAndThenGoAround) {
  constexpr std::int64_t kOneBatch = 3 * (4 + 4 + 8), kOrdered = 8;
  for (const bool shuffle : {false, true})
    for (const std::int64_t kept : {1, 2, 3}) {
      BenchBatches batches(numbered_samples(), 3, {shuffle, 7}, kOrdered, kept * kOneBatch);
      EXPECT_EQ(batches.in_pass(), 3);
      ASSERT_EQ(static_cast<std::int64_t>(batches.kept().size()), kept);
      for (std::int64_t step = 0; step < kOrdered; ++step)
        EXPECT_EQ(samples_of(batches.at(step)), expected_samples(step / 3, step % 3, shuffle))
            << step << " " << shuffle << " " << kept;
      for (std::int64_t step = kOrdered; step < kOrdered + 7; ++step)
        EXPECT_EQ(samples_of(batches.at(step)), expected_samples(0, step % kept, shuffle))
            << step << " " << shuffle << " " << kept;
    }
}

TEST(BenchBatches, HoldOneBatchHoweverLargeItIs) {
  BenchBatches batches(numbered_samples(), 11, {false, 0}, 0, 1);
  EXPECT_EQ(batches.kept().size(), 1u);
  EXPECT_EQ(batches.at(5).size(), 11);
  EXPECT_THROW(BenchBatches(numbered_samples(), 12, {}, 0), UserError);
}

TEST(BlockTimes, StepsFollowEachOther) {
  std::int64_t next = 40;
  const RunSteps run = [&](std::int64_t first, std::int64_t count) {
    EXPECT_EQ(first, next);
    EXPECT_GE(count, 1);
    next = first + count;
    return 0.0;
  };
  const BlockTimes times = time_blocks(run, 40, 0.05, 1e-4);
  EXPECT_EQ(times.steps, next - 40);
  EXPECT_GE(times.seconds_per_step.size(), 1u);
  EXPECT_GE(times.steps, static_cast<std::int64_t>(times.seconds_per_step.size()));
}

TEST(BlockTimes, MedianIsTheMiddleOne) {
  const BlockTimes odd{3, {3, 1, 2}}, even{4, {4, 1, 3, 2}};
  EXPECT_EQ(odd.median(), 2);
  EXPECT_EQ(even.median(), 2.5);
  EXPECT_EQ(even.minimum(), 1);
}

}  // namespace
}  // namespace tenon::cli

// What is made before it is asked for: how much, by whom, and what waits for what.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "pipeline_testing.h"
#include "tenon/data/epoch_order.h"

namespace tenon::data {
namespace {

// Long enough for any machine; what is waited for comes at once.
constexpr std::chrono::seconds kPatience(60);

// Samples of 8 bytes; `reached` is told when number `told` of them was made.
Pipeline counted(std::atomic<int>& made, int told, std::promise<void>& reached) {
  return Pipeline::from(1 << 20, [&made, told, &reached](std::int64_t i) {
    if (++made == told) reached.set_value();
    return scalar_sample(static_cast<int>(i));
  });
}

TEST(PipelineAhead, IsBoundedByBytes) {
  std::atomic<int> made = 0;
  std::promise<void> reached;
  // Room for three batches of four and a half.
  PipelineBatches batches =
      counted(made, 12, reached)
          .batches(4, {.workers = 2, .ahead = 100, .ahead_bytes = 8 * 4 * 3 + 16});
  EXPECT_EQ(reached.get_future().wait_for(kPatience), std::future_status::ready);
  for (int i = 0; i < 20; ++i) {
    EXPECT_LE(made, 4 * i + 14) << i;
    ASSERT_NE(batches.next(), nullptr);
  }
}

TEST(PipelineAhead, IsTwoBatchesWhateverTheirBytes) {
  std::atomic<int> made = 0;
  std::promise<void> reached;
  PipelineBatches batches =
      counted(made, 8, reached).batches(4, {.workers = 3, .ahead = 100, .ahead_bytes = 0});
  EXPECT_EQ(reached.get_future().wait_for(kPatience), std::future_status::ready);
  for (int i = 0; i < 20; ++i) {
    EXPECT_LE(made, 4 * i + 8) << i;
    ASSERT_NE(batches.next(), nullptr);
  }
}

TEST(PipelineAhead, RowsAreBoundedToo) {
  // Batches of 4 rows of 12 bytes; 64 of them would be the whole dataset.
  const Pipeline rows = Pipeline::from(numbered(256));
  const std::vector<WholeBatch> expected = whole_batches(rows, 4, {});
  ASSERT_EQ(expected.size(), 64u);
  for (const std::uint64_t bytes : {0, 100, 1 << 20})
    EXPECT_EQ(whole_batches(rows, 4, {.workers = 2, .ahead = 64, .ahead_bytes = bytes}), expected);
}

TEST(PipelineAhead, BatchesThatAreReadyDoNotWaitForThePass) {
  std::promise<void> reached, released;
  const std::shared_future<void> release = released.get_future().share();
  const Pipeline slow = Pipeline::from([&, release]() -> Generator {
    return [&, release, i = 0]() mutable -> std::optional<Sample> {
      if (i == 8) {
        reached.set_value();
        release.wait_for(kPatience);
      }
      return i == 12 ? std::nullopt : std::optional(scalar_sample(i++));
    };
  });
  PipelineBatches batches = slow.batches(4, {.workers = 1, .ahead = 8});
  EXPECT_EQ(reached.get_future().wait_for(kPatience), std::future_status::ready);
  // In a thread of its own, so that waiting for the pass fails and does not hang.
  std::future<int> two = std::async(std::launch::async, [&] {
    return (batches.next() != nullptr ? 1 : 0) + (batches.next() != nullptr ? 1 : 0);
  });
  EXPECT_EQ(two.wait_for(kPatience / 2), std::future_status::ready);
  released.set_value();
  EXPECT_EQ(two.get(), 2);
  EXPECT_NE(batches.next(), nullptr);
  EXPECT_EQ(batches.next(), nullptr);
}

TEST(PipelineAhead, FunctionsAreCalledByWorkersAlone) {
  const std::thread::id here = std::this_thread::get_id();
  std::atomic<int> calls_here = 0;
  const Pipeline mixed = Pipeline::interleave(
      {Pipeline::from(numbered(40)), Pipeline::from(numbered(40)).map([&](Sample sample) {
         if (std::this_thread::get_id() == here) ++calls_here;
         return sample;
       })});
  for (int i = 0; i < 20; ++i) {
    PipelineBatches batches = mixed.batches(8, {.workers = 1});
    int given = 0;
    while (batches.next() != nullptr) ++given;
    EXPECT_EQ(given, 10);
  }
  EXPECT_EQ(calls_here, 0);
}

// Workers and the consumer race for the rows; whoever gathers them, the batches are the same.
TEST(PipelineAhead, RowsAreTheSameWhoeverGathersThem) {
  const Pipeline rows = Pipeline::from(
      numbered(300), [](std::uint64_t epoch) { return epoch_order(300, 1, epoch, true); });
  const std::vector<WholeBatch> expected = whole_batches(rows, 7, {.epoch = 2});
  ASSERT_EQ(expected.size(), 43u);
  for (int i = 0; i < 30; ++i)
    for (const int ahead : {1, 2, 64})
      ASSERT_EQ(whole_batches(rows, 7, {.workers = 1 + i % 3, .ahead = ahead, .epoch = 2}),
                expected)
          << i << ", " << ahead << " ahead";
}

TEST(PipelineAhead, WaitingIsForSamplesThatAreNotMade) {
  constexpr std::chrono::milliseconds kEach(1);
  const Pipeline slow = counting_to(4).map([&](Sample sample) {
    std::this_thread::sleep_for(kEach);
    return sample;
  });
  for (const int workers : {0, 1}) {
    PipelineBatches batches = slow.batches(4, {.workers = workers});
    EXPECT_EQ(batches.seconds_waited(), 0);
    batches.next();
    EXPECT_GT(batches.seconds_waited(), 0);
    if (workers == 0) {
      EXPECT_GE(batches.seconds_waited(), 0.004);
    }
  }
}

TEST(PipelineAhead, WithoutWorkersEveryBatchIsLate) {
  PipelineBatches batches = counting_to(10).batches(4, {});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(batches.late_batches(), i);
    ASSERT_NE(batches.next(), nullptr);
  }
  EXPECT_EQ(batches.next(), nullptr);
  EXPECT_EQ(batches.late_batches(), 3);
}

// Whether the second batch was late, if it can be made only after this time.
int late_of_two(std::chrono::milliseconds until_release) {
  std::promise<void> released;
  const std::shared_future<void> release = released.get_future().share();
  PipelineBatches batches = Pipeline::from(8, [release](std::int64_t i) {
                              if (i == 4) release.wait_for(kPatience);
                              return scalar_sample(static_cast<int>(i));
                            }).batches(4, {.workers = 1});
  EXPECT_NE(batches.next(), nullptr);
  const std::int64_t before = batches.late_batches();
  std::thread releaser([&] {
    std::this_thread::sleep_for(until_release);
    released.set_value();
  });
  EXPECT_NE(batches.next(), nullptr);
  releaser.join();
  return static_cast<int>(batches.late_batches() - before);
}

TEST(PipelineAhead, ABatchIsLateIfItIsAskedForBeforeItIsMade) {
  // However slow this thread is, some pause is longer than it needs to ask.
  int late = 0;
  for (std::chrono::milliseconds pause(1); late == 0 && pause < kPatience; pause *= 2)
    late = late_of_two(pause);
  EXPECT_EQ(late, 1);
}

TEST(PipelineAhead, BatchesThatAreMadeInTimeAreNotLate) {
  std::atomic<int> made = 0;
  std::promise<void> reached;
  PipelineBatches batches = counted(made, 12, reached).batches(4, {.workers = 1, .ahead = 100});
  // One worker: when the third batch is begun, two are made.
  EXPECT_EQ(reached.get_future().wait_for(kPatience), std::future_status::ready);
  for (int i = 0; i < 2; ++i) EXPECT_NE(batches.next(), nullptr);
  EXPECT_EQ(batches.late_batches(), 0);
}

}  // namespace
}  // namespace tenon::data

#include "tenon/data/prefetch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <set>

#include "data_testing.h"
#include "tenon/data/epoch_order.h"
#include "tests/allocations/count_allocations.h"

namespace tenon::data {
namespace {

std::vector<std::vector<std::int64_t>> all_indices(Prefetcher& prefetcher) {
  std::vector<std::vector<std::int64_t>> batches;
  while (const Batch* batch = prefetcher.next()) {
    EXPECT_TRUE(rows_fit_indices(*batch));
    batches.push_back(batch->indices);
  }
  return batches;
}

std::vector<std::vector<std::int64_t>> expected_indices(std::int64_t size, std::int64_t batch_size,
                                                        BatchOptions options, std::int64_t epochs) {
  std::vector<std::vector<std::int64_t>> batches;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch, ++options.epoch)
    for (auto& batch : numbered(size).batches(batch_size, options))
      batches.push_back(batch.indices);
  return batches;
}

TEST(Prefetcher, OrderDependsOnNeitherThreadsNorDepth) {
  const BatchOptions options{.shuffle = true, .seed = 4, .epoch = 2};
  const auto expected = expected_indices(23, 5, options, 3);
  ASSERT_EQ(expected.size(), 15u);
  for (const int threads : {1, 2, 3, 7})
    for (const int depth : {1, 2, 9, 40}) {
      Prefetcher prefetcher(numbered(23), 5, options,
                            {.depth = depth, .threads = threads, .epochs = 3});
      EXPECT_EQ(prefetcher.batches_per_epoch(), 5);
      EXPECT_EQ(all_indices(prefetcher), expected) << threads << " threads, depth " << depth;
      EXPECT_EQ(prefetcher.next(), nullptr);
    }
}

TEST(Prefetcher, GoesOnInTheMiddleOfAnEpoch) {
  const BatchOptions options{.shuffle = true, .seed = 4, .epoch = 1};
  auto expected = expected_indices(23, 5, options, 2);
  expected.erase(expected.begin(), expected.begin() + 3);
  Prefetcher prefetcher(numbered(23), 5, options, {.threads = 2, .epochs = 2, .first_batch = 3});
  EXPECT_EQ(all_indices(prefetcher), expected);
}

TEST(Prefetcher, DropsTheRemainderWhenAsked) {
  const BatchOptions options{.drop_remainder = true};
  Prefetcher prefetcher(numbered(23), 5, options, {.epochs = 2});
  EXPECT_EQ(all_indices(prefetcher), expected_indices(23, 5, options, 2));
}

TEST(Prefetcher, NothingToDoEndsAtOnce) {
  Prefetcher empty(numbered(0), 5);
  EXPECT_EQ(empty.next(), nullptr);
  Prefetcher no_epochs(numbered(9), 5, {}, {.epochs = 0});
  EXPECT_EQ(no_epochs.next(), nullptr);
}

TEST(Prefetcher, StopsCleanlyAtAnyTime) {
  for (const int taken : {0, 1, 4})
    for (const int threads : {1, 3}) {
      Prefetcher prefetcher(numbered(1000), 1, {},
                            {.depth = 3, .threads = threads, .epochs = 1000});
      for (int i = 0; i < taken; ++i) ASSERT_NE(prefetcher.next(), nullptr);
    }
}

TEST(Prefetcher, TransformChangesBatchesAndSeesTheirNumber) {
  Prefetcher prefetcher(
      numbered(6), 2, {.epoch = 1},
      {.threads = 2, .epochs = 2, .transform = [](Batch& batch, std::uint64_t number) {
         batch.x.as<float>()[0] = static_cast<float>(number);
       }});
  std::vector<float> numbers;
  while (const Batch* batch = prefetcher.next()) numbers.push_back(batch->x.as<float>()[0]);
  EXPECT_EQ(numbers, (std::vector<float>{3, 4, 5, 6, 7, 8}));
}

TEST(Prefetcher, ErrorsArriveInTheirTurn) {
  for (const int threads : {1, 4}) {
    Prefetcher prefetcher(numbered(20), 2, {},
                          {.threads = threads, .transform = [](Batch&, std::uint64_t number) {
                             require(number != 3, "batch {} is bad", number);
                           }});
    for (int i = 0; i < 3; ++i) ASSERT_NE(prefetcher.next(), nullptr);
    EXPECT_EQ(error_of([&] { prefetcher.next(); }), "batch 3 is bad");
    EXPECT_EQ(prefetcher.next(), nullptr);
  }
}

TEST(Prefetcher, BadOptionsAreRefused) {
  const auto error = [](std::int64_t batch_size, const PrefetchOptions& options) {
    return error_of([&] { Prefetcher(numbered(9), batch_size, {}, options); });
  };
  EXPECT_EQ(error(0, {}), "a batch size of 0; at least 1 is needed");
  EXPECT_EQ(error(1, {.depth = 0}), "prefetch: a depth of 0; 1 to 1024 is possible");
  EXPECT_EQ(error(1, {.threads = 0}), "prefetch: 0 threads; 1 to 1024 are possible");
  EXPECT_EQ(error(1, {.epochs = -1}), "prefetch: -1 epochs");
  EXPECT_EQ(error(1, {.first_batch = 10}), "prefetch: first batch 10 of 9");
}

#ifdef TENON_COUNTS_ALLOCATIONS
TEST(Prefetcher, SteadyStateAllocatesNothing) {
  Prefetcher prefetcher(numbered(23), 5, {.shuffle = true},
                        {.depth = 3, .threads = 1, .epochs = 40});
  constexpr int kWarmUp = 50;  // every slot has seen both sizes
  for (int i = 0; i < kWarmUp; ++i) ASSERT_NE(prefetcher.next(), nullptr);
  const long before = allocation_count;
  int count = 0;
  while (prefetcher.next() != nullptr) ++count;
  EXPECT_EQ(allocation_count - before, 0);
  EXPECT_EQ(count, 150);
  const HostTensor one({DType::f32, {1}});  // the count sees what it should
  EXPECT_GE(allocation_count - before, 2);
}
#endif

}  // namespace
}  // namespace tenon::data

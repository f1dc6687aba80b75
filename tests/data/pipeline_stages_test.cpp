// Rows gathered at once, buckets, caches, parts and mixtures.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>

#include "pipeline_testing.h"
#include "tenon/data/selection.h"

namespace tenon::data {
namespace {

// The same pipeline, but with rows made one by one.
Pipeline without_rows(const Pipeline& pipeline) {
  return pipeline.map([](Sample sample) { return sample; });
}

TEST(PipelineRows, BatchesAreThoseOfSingleSamples) {
  const Pipeline chosen = Pipeline::from(numbered(53)).shuffle(3).skip(2).shard(0, 2).repeat(3);
  for (const std::int64_t size : {1, 7, 200})
    for (const bool drop : {false, true}) {
      const PipelineBatchOptions options{.drop_remainder = drop, .epoch = 2};
      const std::vector<WholeBatch> batches = whole_batches(chosen, size, options);
      EXPECT_EQ(batches, whole_batches(without_rows(chosen), size, options));
      EXPECT_EQ(batches.empty(), size == 200 && drop);
    }
  expect_repeatable(chosen, 7, {.epoch = 1});
  expect_repeatable(chosen, 7, {.drop_remainder = true});
  const Pipeline bare = Pipeline::from(Dataset("bare", numbered(5).x()));
  EXPECT_EQ(whole_batches(bare, 2, {}), whole_batches(without_rows(bare), 2, {}));
}

TEST(PipelineRows, MayBeMixedWithOtherSamples) {
  const Dataset a = numbered(9), b = numbered(20);
  const Pipeline pieces[] = {
      Pipeline::interleave({Pipeline::from(a), Pipeline::from(b)}),
      Pipeline::parts(3,
                      [&](std::int64_t i) {
                        const Pipeline rows = Pipeline::from(i == 1 ? b : a);
                        return i == 2 ? without_rows(rows) : rows;
                      }),
      Pipeline::from(a, [](std::uint64_t) { return std::vector<std::int64_t>(9, 4); }),
  };
  for (const Pipeline& piece : pieces) {
    EXPECT_EQ(whole_batches(piece, 4, {}), whole_batches(without_rows(piece), 4, {}));
    expect_repeatable(piece, 4, {});
  }
}

TEST(PipelineRows, RowsThatDoNotExistFailInTheirTurn) {
  const Pipeline wrong = Pipeline::from(numbered(4), [](std::uint64_t) {
    return std::vector<std::int64_t>{0, 1, 2, 9};
  });
  for (const int workers : {0, 2}) {
    PipelineBatches batches = wrong.batches(2, {.workers = workers});
    ASSERT_NE(batches.next(), nullptr);
    EXPECT_EQ(error_of([&] { batches.next(); }),
              "sample 9 of epoch 0: cannot take 1 rows from row 9 on of f32[4,2]");
    EXPECT_EQ(batches.next(), nullptr);
  }
}

// Sample i is i % 7 + 1 long and holds i.
Pipeline of_many_lengths(std::int64_t size) {
  return Pipeline::from(size, [](std::int64_t i) {
    const Shape shape{i % 7 + 1};
    return Sample{filled({DType::f32, shape}, static_cast<double>(i)),
                  filled({DType::i32, shape}, static_cast<double>(i))};
  });
}

TEST(Buckets, GatherSamplesOfLikeLength) {
  const PipelineBatchOptions options{.padding = Padding{.x = -1, .y = -2},
                                     .buckets = Buckets{.bounds = {2, 4, 7}}};
  const std::vector<WholeBatch> batches = whole_batches(of_many_lengths(14), 4, options);
  // Lengths: 1 2 3 4 5 6 7 1 2 3 4 5 6 7.
  ASSERT_EQ(batches.size(), 4u);
  EXPECT_EQ(batches[0].indices, (std::vector<std::int64_t>{0, 1, 7, 8}));
  EXPECT_EQ(batches[0].x, make_tensor<float>({4, 2}, {0, -1, 1, 1, 7, -1, 8, 8}));
  EXPECT_EQ(batches[0].y, make_tensor<std::int32_t>({4, 2}, {0, -2, 1, 1, 7, -2, 8, 8}));
  EXPECT_EQ(batches[1].indices, (std::vector<std::int64_t>{2, 3, 9, 10}));
  EXPECT_EQ(batches[2].indices, (std::vector<std::int64_t>{4, 5, 6, 11}));
  EXPECT_EQ(batches[2].x.shape(), (Shape{4, 7}));
  EXPECT_EQ(batches[3].indices, (std::vector<std::int64_t>{12, 13}));
  PipelineBatchOptions dropping = options;
  dropping.drop_remainder = true;
  EXPECT_EQ(whole_batches(of_many_lengths(14), 4, dropping).size(), 3u);
}

TEST(Buckets, AreRepeatable) {
  expect_repeatable(of_many_lengths(60).shuffle(3), 4, {.buckets = Buckets{.bounds = {2, 4, 7}}});
  expect_repeatable(of_many_lengths(45).shuffle(3), 4,
                    {.buckets = Buckets{
                         .bounds = {1, 3, 5}, .batch_sizes = {5, 3, 2}, .leave_out_longer = true}});
  EXPECT_EQ(error_of([] {
              of_many_lengths(60).batches(4, {.buckets = Buckets{.bounds = {7}}, .position = 3});
            }),
            "batches: position 3, but no batch of the pass ends there");
}

TEST(Buckets, MisuseIsNamed) {
  const auto error = [](const Buckets& buckets) {
    return error_of([&] {
      PipelineBatches batches = of_many_lengths(7).batches(2, {.buckets = buckets});
      while (batches.next() != nullptr) {
      }
    });
  };
  EXPECT_EQ(error({}), "buckets: no bounds");
  EXPECT_EQ(error({.bounds = {3, 3}}),
            "buckets: bound 1 is 3; ascending bounds from 0 on expected");
  EXPECT_EQ(error({.bounds = {3}, .batch_sizes = {1, 2}}), "buckets: 2 batch sizes for 1 bounds");
  EXPECT_EQ(error({.bounds = {3}, .batch_sizes = {0}}),
            "buckets: a batch size of 0; at least 1 is needed");
  EXPECT_EQ(error({.bounds = {3}}), "buckets: sample 3 is 4 long, longer than the last bound, 3");
  EXPECT_EQ(error({.bounds = {9}, .axis = 1}),
            "buckets: x of sample 0 is f32[1]; it has no axis 1");
}

TEST(Cache, SamplesAreMadeOnce) {
  std::atomic<int> made = 0, opened = 0;
  const Pipeline source = Pipeline([&](std::uint64_t epoch) {
                            ++opened;
                            return counting_to(20).shuffle(4).open(epoch);
                          }).map([&made](Sample sample) {
    ++made;
    return sample;
  });
  const Pipeline cached = source.cache();
  const Values first = values_of(counting_to(20).shuffle(4), 0);
  EXPECT_EQ(values_of(cached.take(5), 7), Values(first.begin(), first.begin() + 5));
  EXPECT_EQ(made, 5);
  EXPECT_EQ(values_of(cached, 3), first);
  expect_repeatable(cached, 3, {.epoch = 5});
  EXPECT_EQ(made, 20);
  EXPECT_EQ(opened, 1);
  // What comes after the cache still sees the epoch.
  const Pipeline later = cached.map([](Sample, const SamplePlace& place) {
    return scalar_sample(static_cast<int>(place.epoch));
  });
  EXPECT_EQ(values_of(later.take(1), 6), Values{6});
}

TEST(Cache, KeepsWithinItsLimit) {
  const Pipeline cached = counting_to(20).cache(8 * 5);  // 4 bytes of x and 4 of y each
  EXPECT_EQ(values_of(cached.take(5)), (Values{0, 1, 2, 3, 4}));
  EXPECT_EQ(
      error_of([&] { values_of(cached); }),
      "sample 5 of epoch 0: cache: the samples take more than the limit of 40 bytes; raise it, "
      "or cache in a file");
  EXPECT_EQ(values_of(cached.take(5)), (Values{0, 1, 2, 3, 4}));
}

TEST(Cache, LeavesOutAndFailsLikeItsSource) {
  const Pipeline failing = Pipeline::from(6, [](std::int64_t i) {
    require(i != 2, "file {}: broken", i);
    return scalar_sample(static_cast<int>(i));
  });
  const Pipeline cached = failing.cache();
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(error_of([&] { values_of(cached); }), "sample 2 of epoch 0: file 2: broken");
  const BadSamples bad;
  const Pipeline skipping = failing.skip_bad(bad).cache();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(values_of(skipping), (Values{0, 1, 3, 4, 5}));
  EXPECT_EQ(bad.count(), 1);
}

TEST(Parts, ComeOneAfterTheOtherOrInTurn) {
  const auto part = [](std::int64_t i) {
    return counting_to(i + 1).map(
        [i](Sample sample) { return scalar_sample(static_cast<int>(10 * i) + value_of(sample)); });
  };
  EXPECT_EQ(values_of(Pipeline::parts(3, part)), (Values{0, 10, 11, 20, 21, 22}));
  EXPECT_EQ(values_of(Pipeline::parts(4, part, {.at_once = 2})),
            (Values{0, 10, 20, 11, 21, 30, 22, 31, 32, 33}));
  EXPECT_EQ(values_of(Pipeline::parts(0, part)), Values{});
  const Pipeline shuffled = Pipeline::parts(4, part, {.shuffle = true, .seed = 1, .at_once = 2});
  Values first = values_of(shuffled, 0), second = values_of(shuffled, 1);
  EXPECT_NE(first, second);
  expect_repeatable(shuffled, 3, {.epoch = 1});
  std::ranges::sort(first);
  std::ranges::sort(second);
  EXPECT_EQ(first, second);
  EXPECT_EQ(whole_batches(shuffled, 99, {.epoch = 2}).front().indices,
            (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(error_of([&] { Pipeline::parts(1, part, {.at_once = 0}); }),
            "parts: 0 at once; 1 to 1024 are possible");
  EXPECT_EQ(error_of([&] { Pipeline::parts(-1, part); }), "parts: -1 of them");
}

TEST(Mix, FollowsTheWeights) {
  const auto constant = [](std::int64_t size, int value) {
    return counting_to(size).map([value](Sample) { return scalar_sample(value); });
  };
  const Pipeline mixed = Pipeline::mix({constant(3000, 0), constant(3000, 1)}, {1, 3}, 5);
  const Values values = values_of(mixed.take(2000));
  EXPECT_NEAR(std::accumulate(values.begin(), values.end(), 0), 1500, 80);
  EXPECT_EQ(values_of(mixed).size(), 6000u);  // what is left of one follows the end of the other
  EXPECT_NE(values_of(mixed.take(99), 1), values_of(mixed.take(99), 0));
  expect_repeatable(Pipeline::mix({counting_to(9), counting_to(20)}, {2, 1}, 5), 4, {});
  EXPECT_EQ(error_of([&] { Pipeline::mix({mixed}, {}, 1); }), "mix: 0 weights for 1 pipelines");
  EXPECT_EQ(error_of([&] { Pipeline::mix({mixed}, {0}, 1); }),
            "mix: weight number 0 is 0; a finite number above 0 is needed");
}

TEST(Weighted, DrawsRowsOfADataset) {
  const Pipeline drawn = Pipeline::weighted(numbered(4), {1, 0, 3, 0}, 4000, 1);
  std::map<int, int> counts;
  for (const int value : values_of(drawn)) ++counts[value / 2];
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts[2], 3000, 110);
  expect_repeatable(Pipeline::weighted(numbered(9), std::vector<double>(9, 1.0), 30, 1), 4, {});
  EXPECT_EQ(error_of([] { Pipeline::weighted(numbered(4), {1}, 4, 1); }),
            "dataset \"numbered\": 1 weights for 4 samples");
  EXPECT_EQ(error_of([] { Pipeline::weighted(numbered(1), {0}, 4, 1); }),
            "weighted draws: the weights' sum is 0");
}

TEST(StratifiedPartitions, DealEveryClassEvenly) {
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 103; ++i) labels.push_back(i % 10 == 0 ? 2 : i % 3 == 0 ? 1 : 0);
  const auto parts = stratified_partitions(labels, 5, 7);
  std::vector<std::int64_t> all;
  std::map<int, std::pair<int, int>> range;  // of each class's counts
  for (const std::vector<std::int64_t>& part : parts) {
    EXPECT_TRUE(part.size() == 20 || part.size() == 21);
    EXPECT_TRUE(std::ranges::is_sorted(part));
    std::map<int, int> counts;
    for (const std::int64_t index : part) ++counts[labels[static_cast<std::size_t>(index)]];
    for (const auto& [label, count] : counts) {
      auto& [low, high] = range.try_emplace(label, count, count).first->second;
      low = std::min(low, count);
      high = std::max(high, count);
    }
    all.insert(all.end(), part.begin(), part.end());
  }
  for (const auto& [label, one] : range) EXPECT_LE(one.second - one.first, 1) << label;
  std::ranges::sort(all);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i));
  EXPECT_EQ(all.size(), labels.size());
  EXPECT_EQ(stratified_partitions(labels, 5, 7), parts);
  EXPECT_NE(stratified_partitions(labels, 5, 8), parts);
  EXPECT_EQ(error_of([&] { stratified_partitions(labels, 0, 7); }),
            "stratified partitions: 0 of them; 1 to 1048576");
}

TEST(StratifiedFold, IsWhatTheOthersAreNot) {
  const Dataset dataset = numbered(30);
  std::vector<float> seen;
  for (const int number : {0, 1, 2}) {
    const auto [train, validation] = stratified_fold(dataset, number, 3, 1);
    EXPECT_EQ(train.size(), 20);
    EXPECT_EQ(validation.size(), 10);
    EXPECT_EQ(validation.class_count(), 3);
    const HostTensor rows = validation.x().tensor();
    for (std::size_t i = 0; i < 10; ++i) seen.push_back(rows.as<float>()[2 * i]);
  }
  std::ranges::sort(seen);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(seen[i], static_cast<float>(2 * i));
  EXPECT_EQ(error_of([&] { stratified_fold(dataset, 3, 3, 1); }),
            "fold 3 of 3; 0 to 2 of at least 2 expected");
  EXPECT_EQ(error_of([] { stratified_fold(Dataset("bare", numbered(3).x()), 0, 2, 1); }),
            "dataset \"bare\": a stratified fold needs one class for each sample");
}

TEST(BalancedPartitions, GiveTheLargestToTheLeast) {
  using Parts = std::vector<std::vector<std::int64_t>>;
  const std::vector<double> sizes = {3, 7, 1, 5, 5, 3};
  // 7 | 5 | 5, then 3 to the second, 3 to the third, 1 to the first.
  EXPECT_EQ(balanced_partitions(sizes, 3), (Parts{{1, 2}, {0, 3}, {4, 5}}));
  EXPECT_EQ(balanced_partitions(sizes, 1), (Parts{{0, 1, 2, 3, 4, 5}}));
  const std::vector<double> one = {4}, bad = {1, -1};
  EXPECT_EQ(balanced_partitions(one, 2), (Parts{{0}, {}}));
  EXPECT_EQ(error_of([&] { balanced_partitions(bad, 2); }),
            "balanced partitions: size number 1 is -1; finite and at least 0 is needed");
  EXPECT_EQ(error_of([&] { balanced_partitions(sizes, 0); }),
            "balanced partitions: 0 of them; 1 to 1048576");
}

}  // namespace
}  // namespace tenon::data

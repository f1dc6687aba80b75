#include "tenon/data/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "pipeline_testing.h"
#include "tenon/data/epoch_order.h"
#include "tenon/data/selection.h"

namespace tenon::data {
namespace {

// Values of each batch.
std::vector<Values> batches_of(const Pipeline& pipeline, std::int64_t size,
                               const PipelineBatchOptions& options) {
  std::vector<Values> all;
  PipelineBatches batches = pipeline.batches(size, options);
  while (const Batch* batch = batches.next()) {
    Values& values = all.emplace_back();
    for (const float value : batch->x.as<float>()) values.push_back(static_cast<int>(value));
  }
  return all;
}

TEST(Pipeline, SourcesGiveTheirSamplesInOrder) {
  EXPECT_EQ(values_of(counting_to(4)), (Values{0, 1, 2, 3}));
  EXPECT_EQ(values_of(counting_to(0)), Values{});
  const Generator rows = Pipeline::from(numbered(5)).samples();
  rows();
  const std::optional<Sample> second = rows();
  EXPECT_EQ(second->x, make_tensor<float>({2}, {2, 3}));
  EXPECT_EQ(second->y, make_scalar<std::int32_t>(1));
  int calls = 0;
  const Pipeline stream = Pipeline::from([&calls]() -> Generator {
    return [&calls, i = 0]() mutable -> std::optional<Sample> {
      ++calls;
      if (i == 3) return std::nullopt;
      return scalar_sample(i++);
    };
  });
  EXPECT_EQ(values_of(stream), (Values{0, 1, 2}));
  EXPECT_EQ(values_of(Pipeline::interleave({stream.take(9), stream})), (Values{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(calls, 3 * 4);  // never asked after its end
  const Pipeline chosen =
      Pipeline::from([](std::uint64_t epoch) { return epoch_order(10, 1, epoch, true); },
                     [](std::int64_t i) { return scalar_sample(static_cast<int>(i)); });
  EXPECT_EQ(values_of(chosen, 1), (Values{1, 9, 3, 5, 2, 6, 4, 8, 0, 7}));
  EXPECT_EQ(error_of([] { counting_to(-1); }), "a pipeline of -1 samples");
  EXPECT_THROW(Pipeline::from(std::function<Generator()>()), UserError);
}

TEST(Pipeline, MapSeesThePlaceOfTheSample) {
  const Pipeline pipeline =
      counting_to(6).shuffle(3).map([](Sample sample, const SamplePlace& place) {
        EXPECT_EQ(value_of(sample), place.index);
        return scalar_sample(static_cast<int>(place.epoch) * 100 + value_of(sample));
      });
  Values second = values_of(pipeline, 2);
  std::ranges::sort(second);
  EXPECT_EQ(second, (Values{200, 201, 202, 203, 204, 205}));
}

TEST(Pipeline, FilterTakeSkipShardRepeat) {
  const Pipeline even =
      counting_to(10).filter([](const Sample& sample) { return value_of(sample) % 2 == 0; });
  EXPECT_EQ(values_of(even), (Values{0, 2, 4, 6, 8}));
  EXPECT_EQ(values_of(even.take(2)), (Values{0, 2}));
  EXPECT_EQ(values_of(even.skip(3)), (Values{6, 8}));
  EXPECT_EQ(values_of(even.skip(9)), Values{});
  EXPECT_EQ(values_of(even.take(99)), (Values{0, 2, 4, 6, 8}));
  EXPECT_EQ(values_of(counting_to(8).shard(0, 3)), (Values{0, 3, 6}));
  EXPECT_EQ(values_of(counting_to(8).shard(2, 3)), (Values{2, 5}));
  EXPECT_EQ(values_of(counting_to(1).shard(2, 3)), Values{});
  EXPECT_EQ(values_of(counting_to(2).repeat(3)), (Values{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(values_of(counting_to(2).repeat().take(5)), (Values{0, 1, 0, 1, 0}));
  EXPECT_EQ(values_of(counting_to(0).repeat()), Values{});
  EXPECT_EQ(error_of([&] { even.take(-1); }), "take: -1 samples");
  EXPECT_EQ(error_of([&] { even.skip(-1); }), "skip: -1 samples");
  EXPECT_EQ(error_of([&] { even.repeat(-1); }), "repeat: -1 times");
  EXPECT_EQ(error_of([&] { even.shard(3, 3); }), "shard: number 3 of 3; 0 to 2 expected");
  EXPECT_EQ(error_of([&] { even.shuffle(1, -1); }), "shuffle: a window of -1 samples");
}

TEST(Pipeline, RepeatCountsEpochsForTheShuffle) {
  const Pipeline shuffled = counting_to(9).shuffle(5);
  for (const std::uint64_t epoch : {0u, 3u}) {  // as a fit of samples in memory takes them
    const std::vector<std::int64_t> order = epoch_order(9, 5, epoch, true);
    EXPECT_EQ(values_of(shuffled, epoch), Values(order.begin(), order.end()));
  }
  Values expected = values_of(shuffled, 4);
  const Values next = values_of(shuffled, 5);
  EXPECT_NE(expected, next);
  expected.insert(expected.end(), next.begin(), next.end());
  EXPECT_EQ(values_of(shuffled.repeat(2), 4), expected);
}

TEST(Pipeline, WindowedShuffleMovesSamplesForwardByLessThanTheWindow) {
  const Values order = values_of(counting_to(200).shuffle(7, 10));
  EXPECT_EQ(std::set<int>(order.begin(), order.end()).size(), 200u);
  EXPECT_NE(order, values_of(counting_to(200)));
  for (int i = 0; i < 200; ++i) EXPECT_LE(order[static_cast<std::size_t>(i)], i + 9);
  EXPECT_EQ(values_of(counting_to(200).shuffle(7, 10)), order);
  EXPECT_NE(values_of(counting_to(200).shuffle(8, 10)), order);
  EXPECT_EQ(values_of(counting_to(5).shuffle(7, 1)), (Values{0, 1, 2, 3, 4}));
  std::map<Values, int> counts;
  for (std::uint64_t epoch = 0; epoch < 3000; ++epoch)
    ++counts[values_of(counting_to(3).shuffle(1), epoch)];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [one, count] : counts) EXPECT_NEAR(count, 500, 110);
}

TEST(Pipeline, ZipAndInterleave) {
  const auto plus = [](Sample a, Sample b) { return scalar_sample(value_of(a) + value_of(b)); };
  EXPECT_EQ(values_of(Pipeline::zip(counting_to(3), counting_to(9).skip(5), plus)),
            (Values{5, 7, 9}));
  EXPECT_EQ(values_of(Pipeline::zip(counting_to(3), counting_to(2), plus)), (Values{0, 2}));
  EXPECT_EQ(values_of(Pipeline::interleave(
                {counting_to(1), counting_to(9).skip(5), counting_to(0), counting_to(2)})),
            (Values{0, 5, 0, 6, 1, 7, 8}));
  EXPECT_EQ(values_of(Pipeline::interleave({})), Values{});
}

TEST(Pipeline, ChoosingMakesNothing) {
  std::atomic<int> made = 0;
  const Pipeline source = Pipeline::from(1000, [&made](std::int64_t i) {
    ++made;
    return scalar_sample(static_cast<int>(i));
  });
  EXPECT_EQ(values_of(source.shuffle(1).skip(900).shard(1, 10)).size(), 10u);
  EXPECT_EQ(made, 10);
}

Pipeline all_stages(std::int64_t size) {
  const auto plus = [](Sample a, Sample b) { return scalar_sample(value_of(a) + value_of(b)); };
  return Pipeline::zip(counting_to(size)
                           .filter([](const Sample& s) { return value_of(s) % 5 != 0; })
                           .shuffle(3, 16),
                       counting_to(size).shuffle(4), plus)
      .repeat(2)
      .map([](Sample sample) { return scalar_sample(3 * value_of(sample)); });
}

TEST(PipelineBatches, OrderDoesNotDependOnWorkers) {
  const std::vector<Values> expected = batches_of(all_stages(97), 8, {});
  ASSERT_EQ(expected.size(), 20u);  // 2 * 77 samples
  EXPECT_EQ(expected.back().size(), 2u);
  for (const int workers : {1, 2, 5})
    for (const int ahead : {1, 4})
      EXPECT_EQ(batches_of(all_stages(97), 8, {.workers = workers, .ahead = ahead}), expected)
          << workers << " workers, " << ahead << " ahead";
  EXPECT_EQ(batches_of(all_stages(97), 8, {.drop_remainder = true}).size(), 19u);
}

TEST(PipelineBatches, GoOnFromAnyPosition) {
  const std::vector<Values> expected = batches_of(all_stages(50), 8, {.epoch = 3});
  PipelineBatches batches = all_stages(50).batches(8, {.workers = 2, .epoch = 3});
  std::size_t given = 0;
  do {
    std::vector<Values> rest =
        batches_of(all_stages(50), 8, {.workers = 3, .epoch = 3, .position = batches.position()});
    EXPECT_EQ(rest,
              (std::vector<Values>(expected.begin() + static_cast<long>(given), expected.end())))
        << given;
    ++given;
  } while (batches.next() != nullptr);
  EXPECT_EQ(given, expected.size() + 1);
  EXPECT_EQ(error_of([] { counting_to(3).batches(2, {.position = 4}); }),
            "batches: position 4, but the pass has 3 samples");
}

Pipeline with_bad_samples(std::int64_t size) {
  return Pipeline::from(size, [](std::int64_t i) {
    require(i % 4 != 2, "file {}: broken", i);
    return scalar_sample(static_cast<int>(i));
  });
}

TEST(PipelineBatches, BadSamplesStopInTheirTurnOrAreCounted) {
  for (const int workers : {0, 1, 4}) {
    PipelineBatches stopping = with_bad_samples(8).batches(2, {.workers = workers, .epoch = 1});
    ASSERT_NE(stopping.next(), nullptr);
    EXPECT_EQ(error_of([&] { stopping.next(); }), "sample 2 of epoch 1: file 2: broken");
    EXPECT_EQ(stopping.next(), nullptr);
    const BadSamples bad;
    EXPECT_EQ(batches_of(with_bad_samples(8).skip_bad(bad), 2, {.workers = workers}),
              (std::vector<Values>{{0, 1}, {3, 4}, {5, 7}}));
    EXPECT_EQ(bad.count(), 2);
    std::vector<std::string> messages = bad.messages();
    std::ranges::sort(messages);
    EXPECT_EQ(messages, (std::vector<std::string>{"file 2: broken", "file 6: broken"}));
  }
  PipelineBatches filtering =
      with_bad_samples(8).filter([](const Sample&) { return true; }).batches(2, {.workers = 2});
  ASSERT_NE(filtering.next(), nullptr);
  EXPECT_EQ(error_of([&] { filtering.next(); }), "sample 2 of epoch 0: file 2: broken");
}

TEST(PipelineBatches, WorkersKeepWithinWhatIsAhead) {
  std::atomic<int> made = 0;
  const Pipeline endless = Pipeline::from(1 << 20, [&made](std::int64_t i) {
    ++made;
    return scalar_sample(static_cast<int>(i));
  });
  PipelineBatches batches = endless.batches(4, {.workers = 3, .ahead = 2});
  for (int i = 1; i <= 5; ++i) {
    ASSERT_NE(batches.next(), nullptr);
    EXPECT_GE(made, 4 * i);
    EXPECT_LE(made, 4 * (i + 2));
  }
}

TEST(PipelineBatches, OptionsAreChecked) {
  const auto error = [](std::int64_t size, const PipelineBatchOptions& options) {
    return error_of([&] { counting_to(3).batches(size, options); });
  };
  EXPECT_EQ(error(0, {}), "a batch size of 0; at least 1 is needed");
  EXPECT_EQ(error(1, {.workers = -1}), "batches: -1 workers; 0 to 1024 are possible");
  EXPECT_EQ(error(1, {.ahead = 0}), "batches: 0 ahead; 1 to 1024 are possible");
}

TEST(Collate, PadsToTheLongestOfTheBatch) {
  const std::vector<Sample> samples = {
      {make_tensor<float>({1, 2}, {1, 2}), make_tensor<std::int32_t>({1}, {7})},
      {make_tensor<float>({2, 1}, {3, 4}), make_tensor<std::int32_t>({3}, {1, 2, 3})},
      {HostTensor({DType::f32, {0, 3}}), make_tensor<std::int32_t>({0}, {})}};
  const Batch batch = collate(samples, Padding{.x = 9, .y = -1});
  EXPECT_EQ(batch.x, make_tensor<float>({3, 2, 3}, {1, 2, 9, 9, 9, 9,  //
                                                    3, 9, 9, 4, 9, 9,  //
                                                    9, 9, 9, 9, 9, 9}));
  EXPECT_EQ(batch.y, make_tensor<std::int32_t>({3, 3}, {7, -1, -1, 1, 2, 3, -1, -1, -1}));
  EXPECT_EQ(error_of([&] { collate(samples); }),
            "a batch: x of sample 1 is f32[2,1], that of sample 0 is f32[1,2]; padding can make "
            "extents equal");
  const std::vector<Sample> ranks = {{make_scalar(1.0f), make_scalar(0)},
                                     {make_tensor<float>({1}, {1}), make_scalar(0)}};
  EXPECT_EQ(error_of([&] { collate(ranks, Padding{}); }),
            "a batch: x of sample 1 is f32[1], that of sample 0 is f32[]; padding needs equal "
            "ranks and element types");
  EXPECT_EQ(error_of([] { collate({}); }), "a batch of no samples");
}

TEST(StratifiedSplit, KeepsTheShareOfEveryClass) {
  HostTensor x({DType::f32, {100, 1}}), y({DType::i32, {100}});
  for (int i = 0; i < 100; ++i) {
    x.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(i);
    y.as<std::int32_t>()[static_cast<std::size_t>(i)] = i < 70 ? 0 : i < 95 ? 1 : 2;
  }
  const Dataset dataset("d", std::move(x), Array(std::move(y)));
  const auto [first, second] = stratified_split(dataset, 0.8, 3);
  std::map<int, int> counts;
  std::set<float> seen;
  const HostTensor labels = first.y().tensor();
  for (const std::int32_t label : labels.as<std::int32_t>()) ++counts[label];
  EXPECT_EQ(counts, (std::map<int, int>{{0, 56}, {1, 20}, {2, 4}}));
  for (const Dataset* part : {&first, &second}) {
    const HostTensor rows = part->x().tensor();
    seen.insert(rows.as<float>().begin(), rows.as<float>().end());
  }
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(second.size(), 20);
  EXPECT_EQ(stratified_split(dataset, 0.8, 3).first.x().tensor(), first.x().tensor());
  EXPECT_NE(stratified_split(dataset, 0.8, 4).first.x().tensor(), first.x().tensor());
  EXPECT_EQ(stratified_split(numbered(7), 0.5, 1).first.size(), 4);  // 3.5 rounded away from 0
  EXPECT_EQ(stratified_split(dataset, 1, 3).second.size(), 0);
  EXPECT_THROW(stratified_split(dataset, 1.1, 3), UserError);
  EXPECT_EQ(error_of([] { stratified_split(Dataset("bare", numbered(3).x()), 0.5, 1); }),
            "dataset \"bare\": a stratified split needs one class for each sample");
}

TEST(WeightedDraws, FollowTheWeights) {
  const std::vector<double> weights = {1, 0, 3, 0};
  std::map<std::int64_t, int> counts;
  for (const std::int64_t index : weighted_draws(weights, 8000, 1, 0)) ++counts[index];
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts[0], 2000, 160);
  EXPECT_EQ(weighted_draws(weights, 50, 1, 0), weighted_draws(weights, 50, 1, 0));
  EXPECT_NE(weighted_draws(weights, 50, 1, 0), weighted_draws(weights, 50, 1, 1));
  EXPECT_EQ(balancing_weights(numbered(4)), (std::vector<double>{0.5, 1, 1, 0.5}));
  const Pipeline pipeline = Pipeline::from(numbered(4), [](std::uint64_t epoch) {
    return weighted_draws(balancing_weights(numbered(4)), 6, 1, epoch);
  });
  PipelineBatches batches = pipeline.batches(6, {});
  EXPECT_TRUE(rows_fit_indices(*batches.next()));
  const std::vector<double> negative = {1, -1}, zero = {0, 0}, huge = {1e308, 1e308}, none = {};
  EXPECT_EQ(error_of([&] { weighted_draws(negative, 1, 1, 0); }),
            "weighted draws: weight number 1 is -1; finite and at least 0 is needed");
  EXPECT_EQ(error_of([&] { weighted_draws(zero, 1, 1, 0); }),
            "weighted draws: the weights' sum is 0");
  EXPECT_EQ(error_of([&] { weighted_draws(huge, 1, 1, 0); }),
            "weighted draws: the weights' sum is inf");
  EXPECT_THROW(weighted_draws(none, 1, 1, 0), UserError);
  EXPECT_THROW(weighted_draws(weights, -1, 1, 0), UserError);
}

}  // namespace
}  // namespace tenon::data

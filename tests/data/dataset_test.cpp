#include "tenon/data/dataset.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "data_testing.h"
#include "tenon/data/epoch_order.h"
#include "tenon/data/pipeline.h"

namespace tenon::data {
namespace {

TEST(Array, RowsShareMemoryAndCheckTheirRange) {
  const Array array = numbered(10).x();
  const Array part = array.rows(2, 3).rows(1, 2);
  EXPECT_EQ(part.type(), (TensorType{DType::f32, {2, 2}}));
  EXPECT_EQ(part.data(), array.data() + 3 * 8);
  EXPECT_EQ(part.tensor(), make_tensor<float>({2, 2}, {6, 7, 8, 9}));
  EXPECT_EQ(part.view().data, part.data());
  EXPECT_EQ(array.rows(10, 0).size(), 0);
  EXPECT_EQ(error_of([&] { array.rows(8, 3); }), "cannot take 3 rows from row 8 on of f32[10,2]");
  EXPECT_THROW(array.rows(-1, 1), UserError);
  EXPECT_THROW(array.rows(0, -1), UserError);
  EXPECT_THROW(array.rows(11, 0), UserError);
  EXPECT_THROW(array.rows(1, std::numeric_limits<std::int64_t>::max()), UserError);
  EXPECT_EQ(error_of([] { Array(make_scalar(1.0f)); }),
            "an array of samples needs a first axis that counts them, not f32[]");
}

TEST(Array, GatherCopiesRowsInOrder) {
  const Array array = numbered(4).x();
  const std::vector<std::int64_t> indices = {3, 0, 3};
  EXPECT_EQ(array.gathered(indices).tensor(), make_tensor<float>({3, 2}, {6, 7, 0, 1, 6, 7}));
  const std::vector<std::int64_t> beyond = {0, 4}, negative = {-1};
  EXPECT_EQ(error_of([&] { array.gathered(beyond); }), "row 4 of f32[4,2]: only rows 0 to 3 exist");
  EXPECT_THROW(array.gathered(negative), UserError);
}

TEST(Dataset, PartsKeepTheWeightsOfTheirSamples) {
  HostTensor weights({DType::f64, {10}});
  std::iota(weights.as<double>().begin(), weights.as<double>().end(), 0.0);
  const Dataset data = numbered(10).with_weights(weights);
  // Row i of x is 2i, 2i + 1.
  const auto agree = [](const HostTensor& x, const HostTensor& found) {
    if (found.type() != TensorType{DType::f32, {x.shape()[0]}}) return false;
    for (std::size_t i = 0; i < found.as<float>().size(); ++i)
      if (found.as<float>()[i] * 2 != x.as<float>()[2 * i]) return false;
    return true;
  };
  const std::vector<std::int64_t> some = {7, 2, 2};
  const Dataset::Parts halves = data.split(0.5, 3);
  for (const Dataset& part : {data, data.rows(3, 4), data.skip(2), data.gathered(some),
                              data.shuffled(1), halves.first, halves.second})
    EXPECT_TRUE(agree(part.x().tensor(), part.weights().tensor()));
  for (const Batch& batch : data.batches(4, {.shuffle = true}))
    EXPECT_TRUE(agree(batch.x, batch.weights));
  EXPECT_FALSE(numbered(10).has_weights());
  for (const Batch& batch : numbered(10)) EXPECT_EQ(batch.weights.size(), 0);
}

TEST(Dataset, WeightsAreChecked) {
  const auto error = [](const HostTensor& weights) {
    return error_of([&] { numbered(3).with_weights(weights); });
  };
  const std::string name = "dataset \"" + numbered(3).name() + "\"";
  const auto wrong_shape = [&](const char* type) {
    return fmt::format("{}: sample weights must be 3 numbers, one for each sample, got {}", name,
                       type);
  };
  EXPECT_EQ(error(HostTensor({DType::f32, {2}})), wrong_shape("f32[2]"));
  EXPECT_EQ(error(HostTensor({DType::f32, {3, 1}})), wrong_shape("f32[3,1]"));
  EXPECT_EQ(error(HostTensor({DType::boolean, {3}})), wrong_shape("bool[3]"));
  const auto wrong_value = [&](const char* value) {
    return fmt::format("{}: sample weight number 1 is {}; weights are finite and not negative",
                       name, value);
  };
  EXPECT_EQ(error(make_tensor<float>({3}, {1, -0.5f, 1})), wrong_value("-0.5"));
  EXPECT_EQ(error(make_tensor<float>({3}, {1, NAN, 1})), wrong_value("nan"));
  EXPECT_EQ(error(make_tensor<double>({3}, {1, 1e39, 1})), wrong_value("1e+39"));
  EXPECT_EQ(error(make_tensor<std::int64_t>({3}, {1, -2, 1})), wrong_value("-2"));
  EXPECT_EQ(error_of([] { numbered(3).weights(); }), name + " has no sample weights");
  const Dataset data = numbered(3).with_weights(make_tensor<std::int32_t>({3}, {1, 2, 0}));
  EXPECT_EQ(data.weights().tensor(), make_tensor<float>({3}, {1, 2, 0}));
  EXPECT_EQ(
      error_of([&] { Pipeline::from(data); }),
      name + " has sample weights, which a pipeline does not take; fit takes the dataset itself");
}

TEST(Dataset, ChecksItsParts) {
  EXPECT_EQ(
      error_of([] {
        from_arrays(HostTensor({DType::f32, {3, 2}}), HostTensor({DType::i32, {2}}));
      }),
      "dataset \"arrays\": x has 3 rows and y has 2; there must be one label for each sample\n"
      "  x f32[3,2]\n  y i32[2]");
  EXPECT_EQ(
      error_of([] {
        from_arrays(HostTensor({DType::f32, {2, 2}}), make_tensor<std::int64_t>({2}, {0, -1}));
      }),
      "dataset \"arrays\": label number 1 is -1; classes are 0 to 1048575");
  EXPECT_EQ(error_of([] {
              from_arrays(HostTensor({DType::f32, {1, 2}}),
                          make_tensor<std::uint64_t>({1}, {~std::uint64_t{0}}));
            }),
            "dataset \"arrays\": label number 0 is 18446744073709551615; classes are 0 to 1048575");
  EXPECT_EQ(error_of([] {
              from_arrays(HostTensor({DType::f32, {1, 2}}), make_tensor<std::uint8_t>({1}, {2}),
                          {"a", "b"});
            }),
            "dataset \"arrays\": the largest label is 2; 2 class names are for labels below 2");
  EXPECT_EQ(error_of([] {
              from_arrays(HostTensor({DType::f32, {1, 2}}), HostTensor({DType::f32, {1}}), {"a"});
            }),
            "dataset \"arrays\": class names given, but the labels are f32[1]");
  EXPECT_EQ(error_of([] {
              Dataset("bare", HostTensor({DType::f32, {1}})).y();
            }),
            "dataset \"bare\" has no labels");
}

TEST(Dataset, IntegerAndBoolLabelsBecomeI32Classes) {
  const HostTensor x({DType::f32, {2, 1}});
  for (const DType dtype :
       {DType::boolean, DType::i8, DType::u8, DType::i32, DType::u32, DType::i64, DType::u64}) {
    const Dataset dataset =
        from_arrays(x, converted(make_tensor<std::int32_t>({2}, {1, 0}), dtype));
    EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({2}, {1, 0}));
    EXPECT_TRUE(dataset.has_classes());
    EXPECT_EQ(dataset.class_count(), 2);
  }
  const Dataset targets = from_arrays(x, HostTensor({DType::f64, {2, 3}}));
  EXPECT_FALSE(targets.has_classes());
  EXPECT_EQ(targets.class_count(), 0);
}

TEST(Dataset, PartsKeepClassesAndRows) {
  const Dataset whole = numbered(9);
  const Dataset part = whole.skip(3).take(2);
  EXPECT_EQ(part.size(), 2);
  EXPECT_EQ(part.x().tensor(), make_tensor<float>({2, 2}, {6, 7, 8, 9}));
  EXPECT_EQ(part.y().tensor(), make_tensor<std::int32_t>({2}, {0, 1}));
  EXPECT_EQ(part.class_count(), 3);  // of the whole
  EXPECT_EQ(whole.take(0).size(), 0);
  EXPECT_THROW(whole.take(10), UserError);
  EXPECT_EQ(error_of([&] { whole.skip(10); }),
            "dataset \"numbered\": cannot skip 10 of its 9 samples");
}

TEST(Dataset, SplitIsDisjointCompleteAndRepeatable) {
  const Dataset whole = numbered(101);
  const auto [first, second] = whole.split(0.8, 5);
  EXPECT_EQ(first.size(), 81);
  EXPECT_EQ(second.size(), 20);
  std::set<float> seen;
  for (const Dataset* part : {&first, &second}) {
    const HostTensor x = part->x().tensor();
    for (std::size_t i = 0; i < x.as<float>().size(); i += 2) seen.insert(x.as<float>()[i]);
  }
  EXPECT_EQ(seen.size(), 101u);
  EXPECT_EQ(whole.split(0.8, 5).first.x().tensor(), first.x().tensor());
  EXPECT_NE(whole.split(0.8, 6).first.x().tensor(), first.x().tensor());
  EXPECT_EQ(whole.split(0, 5).first.size(), 0);
  EXPECT_EQ(whole.split(1, 5).second.size(), 0);
  EXPECT_EQ(error_of([&] { whole.split(1.5, 5); }),
            "dataset \"numbered\": a split at 1.5; a fraction from 0 to 1 is needed");
  EXPECT_THROW(whole.split(std::nan(""), 5), UserError);
  EXPECT_THROW(whole.split(-0.1, 5), UserError);
}

TEST(Dataset, ShuffledKeepsLabelsWithTheirSamples) {
  const Dataset shuffled = numbered(50).shuffled(3);
  Batch batch;
  std::vector<std::int64_t> all(50);
  std::iota(all.begin(), all.end(), 0);
  fill_batch(shuffled, all, batch);
  for (std::size_t i = 0; i < 50; ++i)
    batch.indices[i] = static_cast<std::int64_t>(batch.x.as<float>()[2 * i]) / 2;
  EXPECT_TRUE(rows_fit_indices(batch));
  EXPECT_NE(batch.indices, all);
}

TEST(EpochOrder, IsThePublishedPermutation) {
  // The first values are part of the promise: a saved run must go on in the same order.
  EXPECT_EQ(epoch_order(5, 0, 0, false), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(epoch_order(10, 1, 0, true), (std::vector<std::int64_t>{5, 4, 1, 6, 9, 0, 3, 2, 8, 7}));
  EXPECT_EQ(epoch_order(10, 1, 1, true), (std::vector<std::int64_t>{1, 9, 3, 5, 2, 6, 4, 8, 0, 7}));
  EXPECT_TRUE(epoch_order(0, 1, 0, true).empty());
  EXPECT_EQ(epoch_order(1, 1, 0, true), std::vector<std::int64_t>{0});
  EXPECT_THROW(epoch_order(-1, 0, 0, true), UserError);
}

TEST(EpochOrder, EveryPermutationOfThreeIsEquallyLikely) {
  std::map<std::vector<std::int64_t>, int> counts;
  for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) ++counts[epoch_order(3, 9, epoch, true)];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Batches, CoverTheEpochWithAShortLastBatch) {
  const Dataset dataset = numbered(10);
  std::vector<std::int64_t> sizes, indices;
  for (auto& batch : dataset.batches(4)) {
    sizes.push_back(batch.size());
    indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
    EXPECT_TRUE(rows_fit_indices(batch));
  }
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{4, 4, 2}));
  EXPECT_EQ(indices, epoch_order(10, 0, 0, false));
  EXPECT_EQ(dataset.batches(4).size(), 3);
  sizes.clear();
  for (auto& batch : dataset.batches(4, {.drop_remainder = true})) sizes.push_back(batch.size());
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{4, 4}));
}

TEST(Batches, FollowTheOrderOfTheirEpoch) {
  std::vector<std::int64_t> indices;
  for (auto& batch : numbered(10).batches(3, {.shuffle = true, .seed = 1, .epoch = 1})) {
    EXPECT_TRUE(rows_fit_indices(batch));
    indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  }
  EXPECT_EQ(indices, epoch_order(10, 1, 1, true));
}

TEST(Batches, ADatasetItselfGivesBatchesOf32) {
  const Dataset dataset = numbered(70);
  std::vector<std::int64_t> sizes;
  for (auto& batch : dataset) sizes.push_back(batch.size());
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{32, 32, 6}));
}

TEST(Batches, EdgesOfTheBatchSize) {
  int count = 0;
  for (auto& batch : numbered(3).batches(std::numeric_limits<std::int64_t>::max())) {
    EXPECT_EQ(batch.size(), 3);
    ++count;
  }
  EXPECT_EQ(count, 1);
  for ([[maybe_unused]] auto& batch : numbered(0).batches(3)) ADD_FAILURE();
  EXPECT_EQ(error_of([] { numbered(3).batches(0); }), "a batch size of 0; at least 1 is needed");
  for (auto& batch : Dataset("bare", numbered(3).x()).batches(2))
    EXPECT_EQ(batch.y.type(), (TensorType{DType::f32, {0}}));
}

TEST(FillBatch, KeepsMemoryThatFits) {
  const Dataset dataset = numbered(10);
  Batch batch;
  const std::vector<std::int64_t> first = {1, 2}, second = {5, 4};
  fill_batch(dataset, first, batch);
  const void* x = batch.x.bytes().data();
  fill_batch(dataset, second, batch);
  EXPECT_EQ(batch.x.bytes().data(), x);
  EXPECT_TRUE(rows_fit_indices(batch));
}

TEST(FromArrays, NumbersOf64BitsBecomeF32) {
  const std::vector<double> values = {0.1, 1.5, -2, 1e-3};
  const Dataset numbers = from_arrays(values, {2, 2}, std::vector<double>{0.1, 7});
  EXPECT_EQ(numbers.x().tensor(), make_tensor<float>({2, 2}, {0.1f, 1.5f, -2, 1e-3f}));
  EXPECT_EQ(numbers.y().tensor(), make_tensor<float>({2}, {0.1f, 7}));
  const Dataset classes = from_arrays(values, {2, 2}, std::vector<std::int32_t>{1, 0}, {"a", "b"});
  EXPECT_EQ(classes.y().tensor(), make_tensor<std::int32_t>({2}, {1, 0}));
  EXPECT_EQ(from_arrays(values, {4}, std::vector<std::int64_t>{1, 0, 2, 1}).class_count(), 3);
}

}  // namespace
}  // namespace tenon::data

// Samples of another type than the first one, rows that cannot be used, numbers that are not
// finite.
#include <gtest/gtest.h>

#include <cmath>

#include "pipeline_testing.h"
#include "tenon/data/arrow.h"
#include "tenon/data/images.h"
#include "tenon/data/record_stream.h"
#include "tenon/data/tables.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

// x is f32[2], but f32[3] of sample 3, 10, 17, ..., and sample 5 fails; sample 8 has no y.
Sample odd_sample(std::int64_t i) {
  require(i != 5, "file 5: broken");
  const Shape shape{i % 7 == 3 ? 3 : 2};
  return {filled({DType::f32, shape}, static_cast<double>(i)),
          i == 8 ? HostTensor() : make_scalar(static_cast<std::int32_t>(i))};
}

Pipeline odd_samples(std::int64_t size) {
  return Pipeline::from(size, odd_sample, [](std::int64_t i) { return fmt::format("file {}", i); });
}

std::vector<std::int64_t> indices_of(const Pipeline& pipeline, std::uint64_t epoch = 0) {
  std::vector<std::int64_t> indices;
  PipelineBatches batches = pipeline.batches(1, {.epoch = epoch});
  while (const Batch* batch = batches.next()) indices.push_back(batch->indices.front());
  return indices;
}

TEST(EqualTypes, OthersAreRefusedInTheirTurn) {
  const Pipeline equal = odd_samples(20).equal_types("; pad them");
  for (const int workers : {0, 1, 3}) {
    PipelineBatches batches = equal.batches(3, {.workers = workers});
    ASSERT_NE(batches.next(), nullptr);
    EXPECT_EQ(error_of([&] { batches.next(); }),
              "sample 3 of epoch 0: file 3: x is f32[3], but file 0 has f32[2]; pad them");
  }
  const auto error = [&](std::int64_t first) {
    return error_of([&] { equal.skip(first).batches(1, {.epoch = 4}).next(); });
  };
  EXPECT_EQ(error(5), "sample 5 of epoch 4: file 5: broken");
  EXPECT_EQ(error(8), "sample 8 of epoch 4: file 8: there is no y, but file 0 has i32[]; pad them");
  EXPECT_EQ(error(2), "no error");
  // The stages between keep what the source calls a sample.
  const Pipeline mapped = odd_samples(20).map([](Sample sample) { return sample; }).shuffle(1, 1);
  EXPECT_EQ(error_of([&] { mapped.equal_types().skip(3).batches(1, {}).next(); }),
            "sample 3 of epoch 0: file 3: x is f32[3], but file 0 has f32[2]");
  const Pipeline unnamed = Pipeline::from(4, odd_sample).equal_types();
  EXPECT_EQ(error_of([&] { unnamed.skip(3).batches(1, {}).next(); }),
            "sample 3 of epoch 0: x is f32[3], but sample 0 of epoch 0 has f32[2]");
  const Pipeline unlabelled = Pipeline::from(3, [](std::int64_t i) {
    return Sample{make_scalar(1.0f), i < 2 ? HostTensor() : make_scalar(1)};
  });
  EXPECT_EQ(error_of([&] { unlabelled.equal_types().skip(2).batches(1, {}).next(); }),
            "sample 2 of epoch 0: y is i32[], but sample 0 of epoch 0 has none");
}

TEST(EqualTypes, OthersAreLeftOutWhateverTheWorkers) {
  const BadSamples bad;
  const Pipeline good = odd_samples(20).equal_types().skip_bad(bad);
  EXPECT_EQ(indices_of(good),
            (std::vector<std::int64_t>{0, 1, 2, 4, 6, 7, 9, 11, 12, 13, 14, 15, 16, 18, 19}));
  EXPECT_EQ(bad.count(), 5);
  EXPECT_EQ(bad.messages(), (std::vector<std::string>{
                                "file 3: x is f32[3], but file 0 has f32[2]", "file 5: broken",
                                "file 8: there is no y, but file 0 has i32[]",
                                "file 10: x is f32[3], but file 0 has f32[2]",
                                "file 17: x is f32[3], but file 0 has f32[2]"}));
  expect_repeatable(good, 4, {});
  expect_repeatable(good.shuffle(3), 4, {.epoch = 2});
}

TEST(EqualTypes, TheFirstSampleThatCanBeMadeDecides) {
  const BadSamples bad;
  EXPECT_EQ(indices_of(odd_samples(20).skip(5).equal_types().skip_bad(bad)).front(), 6);
  EXPECT_EQ(bad.messages().at(1), "file 8: there is no y, but file 6 has i32[]");
  // That of epoch 0, whichever epoch is asked for first.
  const Pipeline turned = Pipeline::from(
      [](std::uint64_t epoch) {
        return epoch == 0 ? std::vector<std::int64_t>{0, 3, 4} : std::vector<std::int64_t>{3, 4, 0};
      },
      odd_sample);
  for (const std::uint64_t epoch : {1, 0})
    EXPECT_EQ(indices_of(turned.equal_types().skip_bad({}), epoch).size(), 2u) << epoch;
  EXPECT_TRUE(indices_of(odd_samples(6).skip(5).equal_types().skip_bad({})).empty());
}

TEST(EqualTypes, AStreamThatIsReadOnceIsNotReadTwice) {
  int opened = 0;
  const Pipeline once([&opened](std::uint64_t epoch) {
    ++opened;
    return odd_samples(9).open(epoch);
  });
  EXPECT_EQ(indices_of(once.equal_types().skip_bad({})).size(), 6u);
  EXPECT_EQ(opened, 1);
}

TEST(EqualTypes, RowsStayRows) {
  const Dataset wide("wide", Array(HostTensor({DType::f32, {4, 3}})),
                     Array(HostTensor({DType::i32, {4}})));
  const Pipeline rows = Pipeline::parts(
      3, [&](std::int64_t i) { return Pipeline::from(i == 1 ? wide : numbered(6)); });
  const BadSamples bad;
  const Pipeline good = rows.equal_types().skip_bad(bad);
  const Pass pass = good.open(0);
  int left_out = 0, kept = 0;
  while (const std::optional<LazySample> lazy = pass()) {
    const bool is_made = lazy->make().has_value();
    (is_made ? kept : left_out) += 1;
    EXPECT_EQ(lazy->make.dataset() != nullptr, is_made);
  }
  EXPECT_EQ(kept, 12);
  EXPECT_EQ(left_out, 4);
  EXPECT_EQ(bad.messages().front(), "x is f32[3], but sample 0 of epoch 0 has f32[2]");
  expect_repeatable(good, 4, {});
}

TEST(PipelineBatches, SamplesThatCannotBePaddedAreNamed) {
  const Pipeline ranks = Pipeline::from(
      9,
      [](std::int64_t i) {
        const Shape shape = i == 6 ? Shape{1, 1} : Shape{i + 1};
        return Sample{HostTensor({DType::f32, shape}), make_scalar(0)};
      },
      [](std::int64_t i) { return fmt::format("file {}", i); });
  EXPECT_EQ(ranks.take(6).batches(6, {.padding = Padding{}}).next()->x.shape(), (Shape{6, 6}));
  const auto error = [&](const PipelineBatchOptions& options) {
    return error_of([&] {
      PipelineBatches batches = ranks.batches(4, options);
      while (batches.next() != nullptr) {
      }
    });
  };
  EXPECT_EQ(error({.padding = Padding{}}),
            "sample 6 of epoch 0: file 6: x is f32[1,1], but file 4 has f32[5]; padding needs "
            "equal ranks and element types");
  EXPECT_EQ(error({.buckets = Buckets{.bounds = {4, 9}}}),
            "sample 6 of epoch 0: file 6: x is f32[1,1], but file 0 has f32[1]; padding needs "
            "equal ranks and element types");
  EXPECT_EQ(error({.workers = 2}),
            "sample 1 of epoch 0: file 1: x is f32[2], but file 0 has f32[1]; padding can make "
            "extents equal");
}

TEST(Csv, BadRowsAreLeftOut) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/a.csv";
  io::write_file_atomically(file, std::string_view("a,b,kind\n"
                                                   ",1,cat\n"      // line 2: which kind is a?
                                                   "1,2,cat\n"     //
                                                   "3,inf,dog\n"   // line 4
                                                   "5,6\n"         // line 5
                                                   "7,1e39,ant\n"  // line 6
                                                   "9,8,dog\n"));
  const BadSamples bad;
  const Dataset rows = csv(file, {.class_names = {"cat", "dog", "emu"}}, bad);
  EXPECT_EQ(rows.x().tensor(), make_tensor<float>({2, 2}, {1, 2, 9, 8}));
  EXPECT_EQ(rows.y().tensor(), make_tensor<std::int32_t>({2}, {0, 1}));
  EXPECT_EQ(bad.count(), 4);
  EXPECT_EQ(bad.messages(),
            (std::vector<std::string>{
                file + ": line 2, character 1: there is no value (column \"a\")",
                file + ": line 4, character 3: \"inf\" is not a finite number (column \"b\")",
                file + ": line 5, character 1: 2 fields; 3 expected, as in the first record",
                file + ": line 6: 1e+39 in column \"b\" does not fit f32"}));
  io::write_file_atomically(file, std::string_view("a,kind\n1,0.5\n2,1.5\n"));
  EXPECT_EQ(error_of([&] { csv(file, {}, BadSamples()); }),
            file + ": none of its 2 rows can be used; of the first one: " + file +
                ": line 2: the label 0.5 is not an integer\n  help: for numbers to predict, --task "
                "regression (CsvOptions::task in C++)");
  io::write_file_atomically(file, std::string_view("a,kind\n,0\n,1\n"));
  EXPECT_EQ(error_of([&] { csv(file, {}, BadSamples()); }),
            file + ": none of its 2 records can be used; of the first one: " + file +
                ": line 2, character 1: there is no value (column \"a\")");
  io::write_file_atomically(file, std::string_view("a,kind,w\n1,0,2\n2,1,nan\n3,1,0\n"));
  const Dataset weighted = csv(file, {.label = "kind", .weights = "w"}, BadSamples());
  EXPECT_EQ(weighted.weights().tensor(), make_tensor<float>({2}, {2, 0}));
}

#ifdef TENON_HAS_ARROW

TEST(ArrowFiles, RowsThatCannotBeUsedFailInTheirTurn) {
  const std::string file = TENON_TEST_DATA "/io/gaps.parquet";
  const TableStream table = arrow_rows(file, io::ArrowKind::parquet);
  EXPECT_EQ(table.class_names, (std::vector<std::string>{"cat", "dog"}));
  for (const int workers : {0, 2}) {
    PipelineBatches batches = table.rows.batches(2, {.workers = workers});
    ASSERT_NE(batches.next(), nullptr);
    EXPECT_EQ(error_of([&] { batches.next(); }),
              "sample 2 of epoch 0: " + file +
                  ": row 2, column \"x\": there is no value; fill in or leave out such rows first");
  }
  const BadSamples bad;
  const Pipeline good = table.rows.skip_bad(bad);
  EXPECT_EQ(indices_of(good), (std::vector<std::int64_t>{0, 1, 3, 5, 6, 10, 11}));
  EXPECT_EQ(bad.count(), 5);
  EXPECT_EQ(whole_batches(good, 7, {}).front().x,
            make_tensor<float>({7, 2}, {0, 0, 0.5f, 1, 1.5f, 3, 2.5f, 5, 3, 6, 5, 10, 5.5f, 11}));
  EXPECT_EQ(whole_batches(good, 7, {}).front().y,
            make_tensor<std::int32_t>({7}, {0, 1, 1, 1, 0, 0, 1}));
  expect_repeatable(good, 2, {});
  expect_repeatable(good.shuffle(2), 3, {.epoch = 1});
}

#endif

TEST(RecordStreamPipeline, NumbersThatAreNotFiniteAreRefused) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/s";
  {
    io::RecordWriter writer(file, {{DType::f32, {2}}, {DType::f64, {}}});
    writer.add(make_tensor<float>({2}, {1, 2}), make_scalar(1.0));
    writer.add(make_tensor<float>({2}, {1, std::nanf("")}), make_scalar(1.0));
    writer.add(make_tensor<float>({2}, {1, 2}), make_scalar(-HUGE_VAL));
    writer.commit();
  }
  const Pipeline samples = record_stream(file).samples;
  const auto error = [&](std::int64_t first) {
    return error_of([&] { samples.skip(first).batches(1, {}).next(); });
  };
  EXPECT_EQ(error(0), "no error");
  EXPECT_EQ(error(1),
            "sample 1 of epoch 0: " + file +
                ": record 1: x: number 1 is nan; only finite numbers can be trained with");
  EXPECT_EQ(error(2), "sample 2 of epoch 0: " + file +
                          ": record 2: y: number 0 is -inf; only finite numbers can be trained "
                          "with");
}

}  // namespace
}  // namespace tenon::data

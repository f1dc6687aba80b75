// Fits over samples that are made while steps run.
#include <unistd.h>

#include <thread>

#include "tenon/data/epoch_order.h"
#include "tenon/io/record_stream.h"
#include "tenon/nn/pooling.h"
#include "train_testing.h"

namespace tenon {
namespace {

data::Sample blob_sample(const data::Dataset& data, std::int64_t i) {
  return data::Pipeline::from(data.rows(i, 1)).samples()().value();
}

// The blobs in the order in which a fit of the dataset itself visits them.
data::Stream stream_of(const data::Dataset& data, std::uint64_t seed, bool shuffle = true) {
  const std::int64_t size = data.size();
  return {.name = data.name(),
          .samples = data::Pipeline::from(
              [=](std::uint64_t epoch) { return data::epoch_order(size, seed, epoch, shuffle); },
              [data](std::int64_t i) { return blob_sample(data, i); }),
          .size = size,
          .class_names = data.class_names()};
}

class StreamOn : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Devices, StreamOn, testing::ValuesIn(tested_devices()),
                         [](const auto& test) { return test.param; });

TEST_P(StreamOn, TrainsToTheSameBitsAsTheDataInMemory) {
  const data::Dataset data = blobs(22);
  const auto scores = [&](const data::Source& source, int workers) {
    Trainer trainer(model_with_state(), small_options(GetParam()));
    FitOptions options{.epochs = 3, .batch_size = 8, .validation = data};
    options.loading.workers = workers;
    const History history = trainer.fit(source, options);
    EXPECT_EQ(history.steps, 9);
    EXPECT_EQ(history.epochs.back().train.samples, 22);
    return std::pair(trainer.predict(data.x()), history.epochs.back().train.loss);
  };
  const auto expected = scores(data, 1);
  for (const int workers : {0, 1, 3}) EXPECT_EQ(scores(stream_of(data, 1), workers), expected);
}

TEST(Stream, IsEvaluatedAsTheDataInMemory) {
  const data::Dataset data = blobs(22);
  Trainer trainer(small_model(), small_options());
  trainer.build(stream_of(data, 1));
  const Evaluation in_memory = trainer.evaluate(data, 8);
  const Evaluation streamed = trainer.evaluate(stream_of(data, 1, false), 8);
  EXPECT_EQ(streamed.loss, in_memory.loss);
  EXPECT_EQ(streamed["accuracy"], in_memory["accuracy"]);
  EXPECT_EQ(streamed.samples, 22);
}

// JSON lines of a pipe that nobody closes: after those that were written, nothing comes.
class SilentPipe {
 public:
  explicit SilentPipe(int records) {
    EXPECT_EQ(::pipe(ends_), 0);
    for (int i = 0; i < records; ++i) {
      const std::string line = fmt::format("{{\"x\":[{},1],\"y\":{}}}\n", i, i % 3);
      EXPECT_EQ(::write(ends_[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
    }
    reader_ = std::make_shared<io::RecordReader>(
        io::descriptor_stream(ends_[0], "pipe", {.timeout_seconds = 0}));
  }
  ~SilentPipe() { ::close(ends_[1]); }

  data::Stream stream() const {
    const auto pass = [reader = reader_](std::uint64_t epoch) -> data::Pass {
      return [reader, epoch]() -> std::optional<data::LazySample> {
        const std::optional<io::RawRecord> record = reader->next();
        if (!record) return std::nullopt;
        return data::LazySample{
            {epoch, static_cast<std::int64_t>(record->number)}, [reader, record] {
              io::RecordTensors tensors = reader->parse(*record);
              return std::optional(data::Sample{std::move(tensors.x), std::move(tensors.y)});
            }};
      };
    };
    return {.name = "pipe", .samples = data::Pipeline(pass), .class_names = {"a", "b", "c"}};
  }

 private:
  int ends_[2] = {-1, -1};
  std::shared_ptr<io::RecordReader> reader_;
};

TEST(Stream, ThatFallsSilentHoldsUpNeitherTheLastStepNorAStop) {
  for (const int workers : {0, 1, 2}) {
    const SilentPipe pipe(41);  // the first tells the types
    Trainer trainer(small_model(), small_options());
    FitOptions options{.epochs = 1, .batch_size = 4, .max_steps = 3};
    options.loading.workers = workers;
    EXPECT_EQ(trainer.fit(pipe.stream(), options).steps, 3);
  }
  for (const int workers : {0, 1, 2}) {
    const SilentPipe pipe(41);
    std::stop_source stop;
    struct StopLater final : Callback {
      std::stop_source* stop = nullptr;
      std::jthread later;
      bool on_step_end(Trainer&, const StepInfo& info) override {
        if (info.step == 5)
          later = std::jthread([this] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            stop->request_stop();
          });
        return true;
      }
    } stop_later;
    stop_later.stop = &stop;
    Trainer trainer(small_model(), small_options());
    FitOptions options{.epochs = 1, .batch_size = 4, .callbacks = {&stop_later}};
    options.stop = stop.get_token();
    options.loading.workers = workers;
    const History history = trainer.fit(pipe.stream(), options);
    EXPECT_GE(history.steps, 5);
    EXPECT_LE(history.steps, 10);
    EXPECT_TRUE(history.stopped);
  }
}

TEST(Stream, OfUnknownSizeEndsItsEpochsByItself) {
  const data::Dataset data = blobs(22);
  data::Stream stream = stream_of(data, 1);
  stream.size.reset();
  Trainer streamed(small_model(), small_options()), in_memory(small_model(), small_options());
  StopAfter told(100);
  streamed.fit(stream, {.epochs = 2, .batch_size = 8, .callbacks = {&told}});
  in_memory.fit(data, {.epochs = 2, .batch_size = 8});
  EXPECT_EQ(told.steps.size(), 6u);
  EXPECT_EQ(streamed.predict(data.x()), in_memory.predict(data.x()));
  EXPECT_GT(streamed.cost().samples_per_second, 0);
  EXPECT_NEAR(streamed.cost().samples_per_second * streamed.cost().seconds_per_epoch, 22, 1e-6);
}

TEST(Stream, CostCountsTheSamplesOfAnEpochThatIsCut) {
  const data::Dataset data = blobs(4000);
  Trainer trainer(small_model(), small_options());
  trainer.fit(stream_of(data, 1), {.epochs = 1, .batch_size = 4, .steps_per_epoch = 2});
  const CostReport& cost = trainer.cost();
  EXPECT_NEAR(cost.samples_per_second * cost.seconds_per_epoch, 8, 1e-6);
}

TEST(Stream, GoesOnInTheMiddleOfAnEpoch) {
  const data::Dataset data = blobs(40);
  // A random order, samples left out, and several workers.
  const auto source = [&](const data::BadSamples& bad) {
    data::Stream stream = stream_of(data, 1);
    stream.samples = data::Pipeline::from(data)
                         .shuffle(5, 7)
                         .map([](data::Sample sample, const data::SamplePlace& place) {
                           require(place.index % 9 != 4, "sample {} is bad", place.index);
                           return sample;
                         })
                         .skip_bad(bad);
    return stream;
  };
  const auto scores = [&](std::int64_t stop_after) {
    const TemporaryFolder folder;
    FitOptions options{.epochs = 2, .batch_size = 8, .checkpoint_every = 1};
    options.run_folder = folder / "run";
    options.loading.workers = 2;
    const data::BadSamples bad;
    if (stop_after > 0) {
      options.max_steps = stop_after;
      Trainer first(model_with_state(), small_options());
      first.fit(source(bad), options);
      options.max_steps = 0;
      options.resume = true;
    }
    Trainer trainer(model_with_state(), small_options());
    trainer.fit(source(bad), options);
    EXPECT_GT(bad.count(), 0);
    return trainer.predict(data.x());
  };
  const HostTensor expected = scores(0);
  for (const std::int64_t stop : {1, 3, 5, 7}) EXPECT_EQ(scores(stop), expected) << stop;
}

TEST(Stream, WithoutAnEndIsCutByStepsPerEpoch) {
  data::Stream stream = stream_of(blobs(10), 1);
  stream.samples = stream.samples.repeat();
  stream.size.reset();
  Trainer trainer(small_model(), small_options());
  const History history = trainer.fit(stream, {.epochs = 2, .batch_size = 4, .steps_per_epoch = 5});
  EXPECT_EQ(history.steps, 10);
  EXPECT_EQ(history.epochs.size(), 2u);
  EXPECT_EQ(history.epochs[0].train.samples, 20);
}

TEST(Stream, LabelsAreChecked) {
  const data::Dataset data = blobs(10);
  data::Stream stream = stream_of(data, 1, false);
  stream.samples = stream.samples.map([](data::Sample sample, const data::SamplePlace& place) {
    if (place.index == 6)
      sample.y = make_scalar<std::int64_t>(3);
    else
      sample.y = make_scalar<std::int64_t>(sample.y.as<std::int32_t>()[0]);
    return sample;
  });
  Trainer trainer(small_model(), small_options());
  EXPECT_EQ(error_of([&] { trainer.fit(stream, {.batch_size = 5}); }),
            "stream \"blobs\": label 3 of sample 6; a class from 0 to 2 expected");
}

TEST(Stream, ThatGivesNothingIsRefused) {
  data::Stream stream = stream_of(blobs(10), 1);
  stream.samples = stream.samples.take(0);
  Trainer trainer(small_model(), small_options());
  EXPECT_EQ(error_of([&] { trainer.fit(stream); }), "stream \"blobs\" has no samples");
  stream.size = 0;
  EXPECT_EQ(error_of([&] { trainer.fit(stream); }), "fit: dataset \"blobs\" has no samples");
}

TEST(Stream, SamplesOfOtherExtentsNeedPadding) {
  const auto sample = [](std::int64_t i) {
    return data::Sample{HostTensor({DType::f32, {i < 4 ? 2 : 3, 2}}), make_scalar<std::int32_t>(0)};
  };
  const data::Stream stream{
      .name = "rows", .samples = data::Pipeline::from(8, sample), .class_count = 3};
  const nn::Sequential model{nn::Flatten{}, nn::Dense{3}};
  Trainer trainer(model, small_options());
  EXPECT_EQ(error_of([&] { trainer.fit(stream, {.batch_size = 4}); }),
            "stream \"rows\": sample 4 of epoch 0: x is f32[3,2], that of the first sample "
            "f32[2,2]; LoadingOptions::padding and buckets take samples of other extents");
  Trainer wide(model, small_options());
  EXPECT_EQ(error_of([&] { wide.fit(stream, {.batch_size = 3}); }),
            "sample 4 of epoch 0: x is f32[3,2], but sample 3 of epoch 0 has f32[2,2]; padding can "
            "make extents equal");
}

// Sequences of 1 to 7 points, and which of their sums is larger.
data::Stream sequences(std::int64_t size) {
  const auto sample = [](std::int64_t i) {
    const std::int64_t length = 1 + (i * 5) % 7;
    HostTensor x({DType::f32, {length, 2}});
    for (std::int64_t k = 0; k < 2 * length; ++k)
      x.as<float>()[static_cast<std::size_t>(k)] = static_cast<float>((i * 3 + k * k) % 5) - 2;
    return data::Sample{std::move(x), make_scalar(static_cast<std::int32_t>(i % 2))};
  };
  return {.name = "sequences",
          .samples = data::Pipeline::from(size, sample).shuffle(3),
          .size = size,
          .class_count = 2};
}

nn::Sequential sequence_model() {
  return {nn::Dense{6, nn::relu}, nn::GlobalAvgPool1D{}, nn::Dense{2}};
}

LoadingOptions by_length(int workers) {
  LoadingOptions loading;
  loading.workers = workers;
  loading.buckets = data::Buckets{.bounds = {2, 4, 7}, .batch_sizes = {8, 4, 3}};
  return loading;
}

TEST_P(StreamOn, IsTrainedInBucketsByLength) {
  const data::Stream stream = sequences(50);
  // Batch by batch, as the pipeline gives them.
  std::vector<std::string> shapes;
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    data::PipelineBatches batches =
        stream.samples.batches(4, {.buckets = by_length(0).buckets, .epoch = epoch});
    while (const data::Batch* batch = batches.next()) shapes.push_back(to_string(batch->x.type()));
  }
  struct Recorder final : Callback {
    std::vector<std::string> shapes;
    bool on_step_end(Trainer&, const StepInfo& info) override {
      shapes.push_back(to_string(info.batch().x.type()));
      return true;
    }
  };
  std::optional<double> loss;
  for (const int workers : {0, 1, 3}) {
    Recorder recorder;
    Trainer trainer(sequence_model(), small_options(GetParam()));
    FitOptions options{
        .epochs = 2, .batch_size = 4, .validation = sequences(20), .callbacks = {&recorder}};
    options.loading = by_length(workers);
    const History history = trainer.fit(stream, options);
    EXPECT_EQ(recorder.shapes, shapes) << workers;
    EXPECT_EQ(history.epochs.back().train.samples, 50);
    EXPECT_EQ(history.epochs.back().validation->samples, 20);
    const double found = history.epochs.back().train.loss;
    EXPECT_EQ(found, loss.value_or(found));
    loss = found;
  }
  EXPECT_LT(*loss, 0.75);
}

TEST(Stream, InBucketsGoesOnInTheMiddleOfAnEpoch) {
  const auto loss = [](std::int64_t stop_after) {
    const TemporaryFolder folder;
    FitOptions options{.epochs = 2, .batch_size = 4, .checkpoint_every = 1};
    options.run_folder = folder / "run";
    options.loading = by_length(2);
    if (stop_after > 0) {
      options.max_steps = stop_after;
      Trainer first(sequence_model(), small_options());
      first.fit(sequences(50), options);
      options.max_steps = 0;
      options.resume = true;
    }
    Trainer trainer(sequence_model(), small_options());
    return trainer.fit(sequences(50), options).epochs.back().train.loss;
  };
  const double expected = loss(0);
  for (const std::int64_t stop : {1, 4, 11}) EXPECT_EQ(loss(stop), expected) << stop;
}

TEST(FitOptions, SeveralWaysToTryThingsOut) {
  const data::Dataset data = blobs(30);
  const TemporaryFolder folder;
  Trainer quick(small_model(), small_options());
  const History one = quick.fit(data, {.epochs = 9,
                                       .batch_size = 4,
                                       .validation = data,
                                       .fast_dev_run = true,
                                       .run_folder = folder / "run"});
  EXPECT_EQ(one.steps, 1);
  EXPECT_EQ(one.epochs.front().validation->samples, 4);
  EXPECT_FALSE(io::folder_exists(folder / "run"));

  Trainer over(small_model(), small_options());
  const History few = over.fit(data, {.epochs = 30, .batch_size = 4, .overfit_batches = 2});
  EXPECT_EQ(few.steps, 60);
  EXPECT_EQ(few.epochs.back().train.samples, 8);
  EXPECT_LT(few.epochs.back().train.loss, 0.1);

  // Data that cannot be validated is known before the first step.
  Trainer sane(small_model(), small_options());
  data::Stream bad = stream_of(data, 1);
  bad.samples = bad.samples.map([](data::Sample sample, const data::SamplePlace& place) {
    require(place.index != 0, "it is bad");
    return sample;
  });
  EXPECT_NE(error_of([&] {
              sane.fit(data, {.batch_size = 4, .validation = bad, .sanity_batches = 10});
            }).find("it is bad"),
            std::string::npos);
  EXPECT_EQ(sane.steps_done(), 0);
}

TEST(FitOptions, ValidationWithinAnEpoch) {
  struct Recorder final : Callback {
    std::vector<std::int64_t> steps;
    bool on_validation_end(Trainer& trainer, const ValidationInfo& info) override {
      EXPECT_EQ(info.loss, trainer.evaluate(blobs(9)).loss);
      EXPECT_EQ(info.metrics.size(), 1u);
      steps.push_back(info.step);
      return info.step < 8;
    }
  } recorder;
  Trainer trainer(small_model(), small_options());
  const History history = trainer.fit(blobs(24), {.epochs = 3,
                                                  .batch_size = 4,
                                                  .validation = blobs(9),
                                                  .validate_every = 2,
                                                  .callbacks = {&recorder}});
  EXPECT_EQ(recorder.steps, (std::vector<std::int64_t>{2, 4, 8}));  // 6 ends an epoch
  EXPECT_TRUE(history.stopped);
  EXPECT_EQ(history.steps, 8);
}

}  // namespace
}  // namespace tenon

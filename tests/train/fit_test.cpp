#include "tenon/optim/gradient_descent.h"
#include "train_testing.h"

namespace tenon {
namespace {

class FitOn : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Devices, FitOn, testing::ValuesIn(tested_devices()),
                         [](const auto& test) { return test.param; });

TEST_P(FitOn, LearnsThreeBlobs) {
  const data::Dataset data = blobs(60);
  Trainer trainer(small_model(), small_options(GetParam()));
  const History history = trainer.fit(data, {.epochs = 12, .batch_size = 16, .validation = data});
  ASSERT_EQ(history.epochs.size(), 12u);
  EXPECT_EQ(history.steps, 48);
  EXPECT_FALSE(history.stopped);
  EXPECT_LT(history.epochs.back().train.loss, 0.5 * history.epochs.front().train.loss);
  EXPECT_GT((*history.epochs.back().validation)["accuracy"], 0.95);
  EXPECT_EQ(trainer.evaluate(data).loss, history.epochs.back().validation->loss);
  EXPECT_EQ(trainer.steps_done(), 48);
}

TEST_P(FitOn, SeedsDecideEveryBit) {
  const auto scores = [&](std::uint64_t seed) {
    TrainerOptions options = small_options(GetParam());
    options.seed = seed;
    Trainer trainer(model_with_state(), options);
    trainer.fit(blobs(20), {.epochs = 2, .batch_size = 8});
    return trainer.predict(blobs(20).x());
  };
  const HostTensor first = scores(1);
  EXPECT_EQ(first, scores(1));
  EXPECT_FALSE(first == scores(2));
}

TEST_P(FitOn, WorksInDoublePrecision) {
  TrainerOptions options = small_options(GetParam());
  options.dtype = DType::f64;
  Trainer trainer(small_model(), options);
  trainer.fit(blobs(20), {.epochs = 1, .batch_size = 8});
  EXPECT_EQ(trainer.predict(blobs(2).x()).type(), (TensorType{DType::f64, {2, 3}}));
}

TEST(Fit, EveryStepIsToldWithTheShortLastBatch) {
  struct Recorder final : Callback {
    std::vector<std::array<std::int64_t, 4>> seen;
    std::vector<std::int64_t> epochs;
    int begins = 0, ends = 0;
    void on_fit_begin(Trainer&) override { ++begins; }
    bool on_step_end(Trainer&, const StepInfo& info) override {
      EXPECT_EQ(info.mean_metrics().size(), 1u);
      EXPECT_EQ(info.steps_in_epoch, 3);
      EXPECT_EQ(info.total_epochs, 2);
      seen.push_back({info.step, info.epoch, info.step_in_epoch, 0});
      return true;
    }
    bool on_epoch_end(Trainer&, const EpochInfo& info) override {
      epochs.push_back(info.epoch);
      EXPECT_FALSE(info.validation_loss.has_value());
      return true;
    }
    void on_fit_end(Trainer&) override { ++ends; }
  } recorder;
  Trainer trainer(small_model(), small_options());
  trainer.fit(blobs(10), {.epochs = 2, .batch_size = 4, .callbacks = {&recorder}});
  EXPECT_EQ(
      recorder.seen,
      (std::vector<std::array<std::int64_t, 4>>{
          {1, 1, 1, 0}, {2, 1, 2, 0}, {3, 1, 3, 0}, {4, 2, 1, 0}, {5, 2, 2, 0}, {6, 2, 3, 0}}));
  EXPECT_EQ(recorder.epochs, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(recorder.begins, 1);
  EXPECT_EQ(recorder.ends, 1);
}

TEST(Fit, MeansWeighTheShortBatchByItsSamples) {
  // With a rate this small the weights stand still, so the epoch's mean is that of the data.
  TrainerOptions options = small_options();
  options.optimizer = optim::GradientDescent{.learning_rate = 1e-30};
  Trainer trainer(small_model(), options);
  const data::Dataset data = blobs(10);
  const History history = trainer.fit(data, {.epochs = 1, .batch_size = 4});
  EXPECT_NEAR(history.epochs[0].train.loss, trainer.evaluate(data, 10).loss, 1e-6);
  EXPECT_NEAR(trainer.evaluate(data, 3).loss, trainer.evaluate(data, 10).loss, 1e-6);
  EXPECT_EQ(trainer.evaluate(data, 3).samples, 10);
}

TEST(Fit, StopsWhenAskedAndTellsSo) {
  const data::Dataset data = blobs(10);
  Trainer by_callback(small_model(), small_options());
  StopAfter callback(4);
  History history = by_callback.fit(data, {.epochs = 5, .batch_size = 4, .callbacks = {&callback}});
  EXPECT_TRUE(history.stopped);
  EXPECT_EQ(history.steps, 4);
  EXPECT_EQ(history.epochs.size(), 1u);

  Trainer by_steps(small_model(), small_options());
  history = by_steps.fit(data, {.epochs = 5, .batch_size = 4, .max_steps = 7});
  EXPECT_TRUE(history.stopped);
  EXPECT_EQ(by_steps.steps_done(), 7);

  std::stop_source stop;
  struct StopAtStep final : Callback {
    std::stop_source& source;
    explicit StopAtStep(std::stop_source& s) : source(s) {}
    bool on_step_end(Trainer&, const StepInfo& info) override {
      if (info.step == 2) source.request_stop();
      return true;
    }
  } asker(stop);
  Trainer by_token(small_model(), small_options());
  history = by_token.fit(
      data, {.epochs = 5, .batch_size = 4, .callbacks = {&asker}, .stop = stop.get_token()});
  EXPECT_TRUE(history.stopped);
  EXPECT_EQ(history.steps, 2);
}

TEST(Fit, AnotherFitGoesOnWithTheNextEpoch) {
  const data::Dataset data = blobs(12);
  Trainer once(small_model(), small_options());
  once.fit(data, {.epochs = 3, .batch_size = 4});
  Trainer twice(small_model(), small_options());
  twice.fit(data, {.epochs = 1, .batch_size = 4});
  twice.fit(data, {.epochs = 2, .batch_size = 4});
  EXPECT_EQ(once.predict(data.x()), twice.predict(data.x()));
  EXPECT_EQ(twice.steps_done(), 9);
}

TEST(Fit, WithoutShufflingStepsFollowTheFile) {
  const data::Dataset data = blobs(8);
  TrainerOptions options = small_options();
  Trainer fitted(small_model(), options);
  fitted.fit(data, {.epochs = 1, .batch_size = 4, .shuffle = false});
  Trainer stepped(small_model(), small_options());
  stepped.build(data);
  for (auto& batch : data.batches(4)) stepped.step(batch);
  EXPECT_EQ(fitted.predict(data.x()), stepped.predict(data.x()));
}

TEST(Steps, ManyInOneCallAreAsManyCalls) {
  const data::Dataset data = blobs(12);
  const std::vector<std::int64_t> indices = {0, 5, 2, 7, 11, 3, 8, 1, 4, 6, 9, 10};
  for (const char* device : {"cpu", "reference"})
    for (const bool is_scheduled : {false, true}) {
      TrainerOptions options = small_options();
      options.device = device;
      if (is_scheduled) options.schedule = optim::Cosine{.steps = 3};
      Trainer together(small_model(), options), one_by_one(small_model(), options);
      const double last = together.steps(data, 4, indices);
      double expected = 0;
      for (std::size_t first = 0; first < indices.size(); first += 4)
        expected = one_by_one.steps(data, 4, std::span(indices).subspan(first, 4));
      EXPECT_EQ(last, expected) << device << is_scheduled;
      EXPECT_EQ(together.steps_done(), 3);
      EXPECT_EQ(together.predict(data.x()), one_by_one.predict(data.x()));
    }
}

TEST(Steps, AreThoseOfTheirBatches) {
  const data::Dataset data = blobs(8);
  Trainer by_index(small_model(), small_options()), by_batch(small_model(), small_options());
  by_batch.build(data);
  const std::vector<std::int64_t> indices = {0, 1, 2, 3, 4, 5, 6, 7};
  const double last = by_index.steps(data, 4, indices);
  double expected = 0;
  for (const data::Batch& batch : data.batches(4)) expected = by_batch.step(batch);
  EXPECT_EQ(last, expected);
  EXPECT_EQ(by_index.predict(data.x()), by_batch.predict(data.x()));
}

TEST(Steps, RefuseWhatIsNoBatch) {
  const data::Dataset data = blobs(8);
  Trainer trainer(small_model(), small_options());
  const auto error = [&](std::int64_t batch_size, std::vector<std::int64_t> indices) {
    return error_of([&] { trainer.steps(data, batch_size, indices); });
  };
  EXPECT_EQ(error(0, {1}), "steps: expected a batch size of 1 or more, got 0");
  EXPECT_EQ(error(2, {}), "steps: expected samples for whole batches of 2, got 0");
  EXPECT_EQ(error(2, {1, 2, 3}), "steps: expected samples for whole batches of 2, got 3");
  EXPECT_EQ(error(2, {1, 8}),
            fmt::format("steps: there is no sample 8, \"{}\" has 8", data.name()));
  EXPECT_EQ(error(2, {-1, 2}),
            fmt::format("steps: there is no sample -1, \"{}\" has 8", data.name()));
}

// A batch like the last one takes a shorter way; labels that are none still do not.
TEST(Steps, RepeatedBatchesAreCheckedToo) {
  const data::Dataset data = blobs(8);
  Trainer trainer(small_model(), small_options());
  trainer.build(data);
  data::Batch batch;
  data::fill_batch(data, std::vector<std::int64_t>{0, 1, 2, 3}, batch);
  trainer.step(batch);
  batch.y.as<std::int32_t>()[1] = -1;
  EXPECT_NE(error_of([&] { trainer.step(batch); }).find("label number 1 is -1"), std::string::npos);
  batch.y.as<std::int32_t>()[1] = 1000;
  EXPECT_NE(error_of([&] { trainer.step(batch); }).find("outputs; give it 1001 units"),
            std::string::npos);
  batch.y.as<std::int32_t>()[1] = 0;
  trainer.step(batch);
  EXPECT_EQ(trainer.steps_done(), 2);
}

TEST(Fit, OneOutputServesTwoClasses) {
  data::Dataset data = blobs(30);
  HostTensor y = data.y().tensor();
  for (std::int32_t& label : y.as<std::int32_t>()) label = label == 1;
  data = data::Dataset("two", data.x(), data::Array(std::move(y)), {"no", "yes"});
  TrainerOptions options = small_options();
  options.loss = nn::binary_cross_entropy_from_logits;
  Trainer trainer(nn::Sequential{nn::Dense{4, nn::relu}, nn::Dense{1}}, options);
  const History history = trainer.fit(data, {.epochs = 10, .batch_size = 8});
  EXPECT_GT(history.epochs.back().train["accuracy"], 0.9);
}

TEST(Predict, TakesAnyNumberOfRowsInFewSizes) {
  const data::Dataset data = blobs(100);
  Trainer trainer(small_model(), small_options());
  trainer.build(data);
  const HostTensor all = trainer.predict(data.x(), 64);
  ASSERT_EQ(all.type(), (TensorType{DType::f32, {100, 3}}));
  for (const std::int64_t count : {0, 1, 2, 15, 16, 17, 63, 64, 65, 99}) {
    const HostTensor some = trainer.predict(data.x().rows(0, count), 64);
    ASSERT_EQ(some.type(), (TensorType{DType::f32, {count, 3}}));
    EXPECT_TRUE(std::equal(some.bytes().begin(), some.bytes().end(), all.bytes().begin())) << count;
  }
  EXPECT_EQ(trainer.prediction_sizes(), (std::vector<std::int64_t>{64, 1, 16}));
}

TEST(Predict, OneRowAtATimeEqualsAllAtOnce) {
  const data::Dataset data = blobs(5);
  Trainer trainer(model_with_state(), small_options());
  trainer.fit(data, {.epochs = 1, .batch_size = 5});
  const HostTensor all = trainer.predict(data.x());
  for (std::int64_t i = 0; i < 5; ++i) {
    const HostTensor one = trainer.predict(data.x().rows(i, 1));
    EXPECT_TRUE(std::equal(one.bytes().begin(), one.bytes().end(), all.bytes().begin() + i * 12));
  }
}

TEST(Evaluate, WorksForOneSample) {
  const data::Dataset data = blobs(7);
  Trainer trainer(small_model(), small_options());
  trainer.build(data);
  EXPECT_EQ(trainer.evaluate(data.take(1)).samples, 1);
  EXPECT_EQ(error_of([&] { trainer.evaluate(data)["recall"]; }),
            "metric \"recall\" was not asked for; list it in TrainerOptions::metrics");
}

TEST(FitErrors, OptionsAreChecked) {
  Trainer trainer(small_model(), small_options());
  const auto message = [&](const FitOptions& options) {
    return error_of([&] { trainer.fit(blobs(4), options); });
  };
  EXPECT_EQ(message({.epochs = -1}), "fit: epochs must not be negative, got -1");
  EXPECT_EQ(message({.batch_size = 0}), "fit: batch_size must be above 0, got 0");
  EXPECT_EQ(message({.max_steps = -1}), "fit: max_steps must not be negative, got -1");
  EXPECT_EQ(message({.checkpoint_every = -2}),
            "fit: checkpoint_every must not be negative, got -2");
  EXPECT_EQ(message({.log_every = -2}), "fit: log_every must not be negative, got -2");
  EXPECT_EQ(message({.run_folder = "x", .resume = true, .overwrite = true}),
            "fit: choose one of resume and overwrite");
  EXPECT_EQ(message({.resume = true}), "fit: resume and overwrite need a run_folder");
  EXPECT_EQ(message({.callbacks = {nullptr}}), "fit: a callback is null");
}

TEST(FitErrors, DataThatDoesNotFitIsNamed) {
  const data::Dataset data = blobs(6);
  Trainer narrow(nn::Sequential{nn::Dense{2}}, small_options());
  EXPECT_EQ(error_of([&] { narrow.fit(data); }),
            "fit: dataset \"blobs\" has 3 classes, the model's last layer has 2 outputs; give it 3 "
            "units");
  EXPECT_FALSE(narrow.is_built());
  EXPECT_EQ(error_of([&] { narrow.fit(data.take(0)); }), "fit: dataset \"blobs\" has no samples");
  EXPECT_EQ(error_of([&] { narrow.fit(data::Dataset("bare", data.x())); }),
            "fit: dataset \"bare\" has no labels");

  TrainerOptions binary = small_options();
  binary.loss = nn::binary_cross_entropy_from_logits;
  EXPECT_EQ(error_of([&] { Trainer(nn::Sequential{nn::Dense{1}}, binary).fit(data); }),
            "fit: loss binary_cross_entropy_from_logits takes the labels 0 and 1, dataset "
            "\"blobs\" has 3 classes; use sparse_categorical_cross_entropy_from_logits");

  Trainer trainer(small_model(), small_options());
  EXPECT_EQ(error_of([&] { trainer.evaluate(data); }),
            "evaluate: the model has no weights yet; fit, build or load it first");
  EXPECT_EQ(error_of([&] { trainer.predict(data.x()); }),
            "predict: the model has no weights yet; fit, build or load it first");
  trainer.build(data);
  const data::Array wide(HostTensor({DType::f32, {4, 3}}));
  EXPECT_EQ(error_of([&] { trainer.predict(wide); }),
            "predict: rows are f32[3], the model was built for f32[2]");
  EXPECT_EQ(error_of([&] {
              trainer.predict(HostTensor({DType::f32, {2}}));
            }),
            "predict: rows are f32[], the model was built for f32[2]; give a single sample a "
            "leading axis of 1");
  EXPECT_EQ(error_of([&] {
              trainer.fit(data::Dataset("wide", wide, data::Array(HostTensor({DType::i32, {4}}))));
            }),
            "fit: samples of \"wide\" are f32[3], the model was built for f32[2]");
  EXPECT_EQ(error_of([&] {
              trainer.evaluate(
                  data::Dataset("soft", data.x(), data::Array(HostTensor({DType::f32, {6}}))));
            }),
            "evaluate: labels of \"soft\" are f32[], the model was built for i32[]");
}

TEST(FitErrors, DataToCheckWithIsRefusedBeforeTheFirstStep) {
  const data::Dataset data = blobs(6);
  const data::Dataset wide("wide", HostTensor({DType::f32, {4, 3}}),
                           data::Array(HostTensor({DType::i32, {4}})));
  Trainer trainer(small_model(), small_options());
  EXPECT_EQ(error_of([&] { trainer.fit(data, {.batch_size = 3, .validation = wide}); }),
            "fit: validation: samples of \"wide\" are f32[3], the model was built for f32[2]");
  EXPECT_EQ(error_of([&] { trainer.fit(data, {.batch_size = 3, .test = wide}); }),
            "fit: test: samples of \"wide\" are f32[3], the model was built for f32[2]");
  EXPECT_EQ(trainer.steps_done(), 0);
}

TEST(FitErrors, OptionsOfTheTrainerAreChecked) {
  TrainerOptions options = small_options();
  options.dtype = DType::f16;
  EXPECT_EQ(error_of([&] { Trainer(small_model(), options); }),
            "Trainer: dtype must be f32 or f64, got f16");
  options.dtype = DType::f32;
  options.device = "cpv";
  EXPECT_EQ(error_of([&] { Trainer(small_model(), options); }),
            "unknown device \"cpv\"; known devices: cpu, reference; did you mean \"cpu\"?");
  options.device = "reference";
  options.loss = nn::mean_squared_error;
  EXPECT_EQ(error_of([&] { Trainer(small_model(), options); }),
            "Trainer: metric accuracy is of classes, loss mean_squared_error is of numbers; leave "
            "the metric out, or choose a loss of classes");
}

}  // namespace
}  // namespace tenon

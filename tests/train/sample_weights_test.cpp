// Weights of samples: in fit, evaluate and step, against data/sample_weight_samples.json.
#include <cmath>
#include <limits>
#include <numeric>

#include "../data/sample_reading.h"
#include "tenon/data/pipeline.h"
#include "tenon/nn/distilled.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/train/nan_guard.h"
#include "tenon/train/traced_step.h"
#include "train_testing.h"

namespace tenon {
namespace {

using nlohmann::json;

// 0, 0.5, 1, 1.5, 2 in turn.
HostTensor some_weights(std::int64_t size) {
  HostTensor weights({DType::f32, {size}});
  for (std::size_t i = 0; i < weights.as<float>().size(); ++i)
    weights.as<float>()[i] = 0.5f * static_cast<float>(i % 5);
  return weights;
}

data::Dataset weighted_blobs(std::int64_t size) {
  return blobs(size).with_weights(some_weights(size));
}

std::vector<HostTensor> values_of(Trainer& trainer) {
  std::vector<HostTensor> values;
  for (const Variable& weight : trainer.weights()) values.push_back(trainer.session().read(weight));
  return values;
}

struct SampledTraining {
  data::Dataset data;
  Trainer trainer;
};

// The training of a record, before its first step.
SampledTraining begun(const json& all, const json& sample, const std::string& device) {
  data::Dataset data = data::Dataset("samples", data::Array(samples::read_tensor(sample.at("x"))),
                                     data::Array(samples::read_tensor(sample.at("y"))))
                           .with_weights(samples::read_tensor(sample.at("weights")));
  TrainerOptions options = small_options(device);
  options.dtype = DType::f64;
  options.metrics.clear();
  options.loss = nn::find_loss(sample.at("loss").get<std::string>());
  options.optimizer = optim::GradientDescent{.learning_rate = all.at("learning_rate")};
  const auto outputs = sample.at("final").at("dense_1/bias").at("shape")[0].get<std::int64_t>();
  Trainer trainer(nn::Sequential{nn::Dense{6, nn::tanh}, nn::Dense{outputs}}, options);
  trainer.build(data);
  for (const Variable& weight : trainer.weights())
    trainer.session().write(weight, samples::read_tensor(sample.at("initial").at(weight.name())));
  return {std::move(data), std::move(trainer)};
}

void expect_final_weights(Trainer& trainer, const json& sample) {
  for (const Variable& weight : trainer.weights())
    EXPECT_EQ(
        samples::difference(trainer.session().read(weight),
                            samples::read_tensor(sample.at("final").at(weight.name())), 1e-12),
        "")
        << weight.name();
}

TEST(SampleWeights, TrainAsPytorchDoes) {
  const json all = samples::read_samples("sample_weight_samples.json");
  for (const std::string& device : tested_devices()) {
    for (const json& sample : all.at("trainings")) {
      SCOPED_TRACE(device + " " + sample.at("loss").get<std::string>());
      auto [data, trainer] = begun(all, sample, device);
      EXPECT_NEAR(trainer.evaluate(data, 4).loss, sample.at("evaluated_before"), 1e-12);
      StopAfter seen(1000);
      FitOptions fit{.epochs = all.at("epochs"), .batch_size = all.at("batch_size")};
      fit.shuffle = false;
      fit.callbacks = {&seen};
      trainer.fit(data, fit);
      const auto losses = sample.at("losses").get<std::vector<double>>();
      ASSERT_EQ(seen.losses.size(), losses.size());
      for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(seen.losses[i], losses[i], 1e-12);
      expect_final_weights(trainer, sample);
      EXPECT_NEAR(trainer.evaluate(data, 4).loss, sample.at("evaluated_after"), 1e-12);
    }
  }
}

TEST(SampleWeights, StepsOnBatchesAndTracedGradientsHaveThem) {
  const json all = samples::read_samples("sample_weight_samples.json");
  for (const std::string& device : tested_devices()) {
    const json& sample = all.at("trainings")[0];
    auto [data, trainer] = begun(all, sample, device);
    const auto losses = sample.at("losses").get<std::vector<double>>();
    const auto rate = all.at("learning_rate").get<double>();
    std::size_t step = 0;
    for (std::uint64_t epoch = 0; epoch < all.at("epochs").get<std::uint64_t>(); ++epoch) {
      for (const data::Batch& batch : data.batches(all.at("batch_size"))) {
        const std::vector<HostTensor> before = values_of(trainer);
        const auto gradients = gradients_of(trainer, data.gathered(batch.indices));
        EXPECT_NEAR(trainer.step(batch), losses.at(step++), 1e-12);
        const std::vector<HostTensor> after = values_of(trainer);
        for (std::size_t i = 0; i < after.size(); ++i)
          for (std::int64_t k = 0; k < after[i].size(); ++k)
            EXPECT_NEAR(element_as_double(after[i], k),
                        element_as_double(before[i], k) -
                            rate * element_as_double(gradients[i].gradient, k),
                        1e-12);
      }
    }
    expect_final_weights(trainer, sample);
  }
}

// Equal weights change no bit, and a weight of 0 leaves the sample out.
TEST(SampleWeights, OnesAndZeros) {
  for (const std::string& device : tested_devices()) {
    const auto trained = [&](const data::Dataset& data, std::int64_t batch_size) {
      Trainer trainer(small_model(), small_options(device));
      trainer.fit(data, {.epochs = 2, .batch_size = batch_size, .shuffle = false});
      return values_of(trainer);
    };
    HostTensor ones({DType::f32, {20}}), first({DType::i64, {20}});
    std::ranges::fill(ones.as<float>(), 1.0f);
    std::ranges::fill(first.as<std::int64_t>().first(12), 3);
    EXPECT_EQ(trained(blobs(20).with_weights(ones), 8), trained(blobs(20), 8));
    const auto kept = trained(blobs(20).with_weights(first), 20);
    const auto alone = trained(blobs(20).take(12), 12);
    for (std::size_t i = 0; i < kept.size(); ++i)
      EXPECT_EQ(samples::difference(kept[i], alone[i], 1e-5), "");
    // Batches of which no sample counts leave the weights alone, and all stays finite.
    TrainerOptions options = small_options(device);
    options.optimizer = optim::GradientDescent{.learning_rate = 0.5};
    Trainer trainer(small_model(), options);
    const data::Dataset data = blobs(20).with_weights(first);
    trainer.fit(data, {.epochs = 1, .batch_size = 4, .shuffle = false, .max_steps = 3});
    const auto before = values_of(trainer);
    StopAfter seen(2);
    FitOptions rest{.epochs = 1, .batch_size = 4, .shuffle = false};
    rest.callbacks = {&seen};
    const data::Dataset none = data.rows(12, 8);
    for (const data::Batch& batch : none.batches(4)) EXPECT_EQ(trainer.step(batch), 0);
    EXPECT_EQ(values_of(trainer), before) << device;
    EXPECT_EQ(trainer.evaluate(none).loss, 0);
  }
}

TEST(SampleWeights, MetricsCountAllSamplesAlike) {
  Trainer trainer(small_model(), small_options());
  trainer.build(blobs(20));
  const Evaluation plain = trainer.evaluate(blobs(20)),
                   weighted = trainer.evaluate(weighted_blobs(20));
  EXPECT_EQ(plain["accuracy"], weighted["accuracy"]);
  EXPECT_NE(plain.loss, weighted.loss);
}

TEST(SampleWeights, SameBitsOnThreadsAndAfterAKill) {
  const auto options = [](int threads) {
    TrainerOptions result = small_options("cpu");
    result.threads = threads;
    return result;
  };
  const FitOptions fit{.epochs = 3, .batch_size = 7, .validation = weighted_blobs(12)};
  std::vector<HostTensor> expected;
  for (const int threads : {1, 2, 3}) {
    Trainer trainer(model_with_state(), options(threads));
    trainer.fit(weighted_blobs(31), fit);
    if (expected.empty()) expected = values_of(trainer);
    EXPECT_EQ(values_of(trainer), expected) << threads;
  }
  const TemporaryFolder folder;
  FitOptions run = fit;
  run.run_folder = folder / "run";
  run.checkpoint_every = 1;
  StopAfter stop(8);
  run.callbacks = {&stop};
  Trainer first(model_with_state(), options(1));
  EXPECT_TRUE(first.fit(weighted_blobs(31), run).stopped);
  run.callbacks.clear();
  run.resume = true;
  Trainer second(model_with_state(), options(2));
  const History history = second.fit(weighted_blobs(31), run);
  EXPECT_EQ(history.steps, 7);
  EXPECT_EQ(values_of(second), expected);
  // Other weights are other data.
  HostTensor changed = some_weights(31);
  changed.as<float>()[30] = 7;
  for (const data::Dataset& other : {blobs(31), blobs(31).with_weights(changed)}) {
    Trainer third(model_with_state(), options(1));
    EXPECT_EQ(error_of([&] { third.fit(other, run); }),
              (folder / "run/run.json") +
                  ": the run cannot go on: its data has changed (other samples, labels, weights or "
                  "order, or made by workers then and not now)");
  }
}

// NanGuard runs the batch again with its weights.
TEST(SampleWeights, NanGuardKnowsThem) {
  HostTensor x = blobs(24).x().tensor();
  x.as<float>()[2 * 17] = std::numeric_limits<float>::quiet_NaN();
  const data::Dataset data =
      data::Dataset("blobs", std::move(x), blobs(24).y()).with_weights(some_weights(24));
  NanGuard guard;
  Trainer trainer(small_model(), small_options());
  FitOptions fit{.epochs = 1, .batch_size = 8, .shuffle = false};
  fit.callbacks = {&guard};
  EXPECT_EQ(trainer.fit(data, fit).steps, 3);
  EXPECT_NE(guard.finding().find("step 3 (epoch 1): the loss is NaN"), std::string::npos);
  EXPECT_NE(guard.finding().find("it is there already in \"x\""), std::string::npos)
      << guard.finding();
}

TEST(SampleWeights, Refused) {
  const data::Dataset data = weighted_blobs(20);
  const auto fit = [](nn::Layer model, const TrainerOptions& options, const data::Source& source) {
    return error_of([&] { Trainer(std::move(model), options).fit(source, {.batch_size = 8}); });
  };
  EXPECT_EQ(
      fit(small_model(), small_options(), blobs(20).with_weights(HostTensor({DType::f32, {20}}))),
      "fit: the sample weights of dataset \"blobs\" are all 0");
  EXPECT_EQ(
      fit(nn::Distilled{small_model(), small_model(), 2, 0.5}, small_options(), data),
      "fit: dataset \"blobs\" has sample weights; the model has a loss of its own, which takes "
      "none");
  HostTensor images({DType::u8, {20, 4, 4}});
  TrainerOptions mixing = small_options();
  mixing.augmentation = {augment::Mixup{}};
  EXPECT_EQ(
      fit(nn::Sequential{nn::Flatten{}, nn::Dense{3}}, mixing,
          data::Dataset("images", std::move(images), blobs(20).y()).with_weights(some_weights(20))),
      "Trainer: the augmentation mixes samples, which then have no weights of their own; "
      "leave the sample weights out, or mixup and cutmix");
}

}  // namespace
}  // namespace tenon

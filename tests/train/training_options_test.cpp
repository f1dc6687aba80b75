// Augmentation, precision and accumulated gradients in fits.
#include "tenon/data/epoch_order.h"
#include "tenon/nn/convolution.h"
#include "train_testing.h"

namespace tenon {
namespace {

// Stripes that lie or stand, 8 x 8 pixels, of random places and greys.
data::Dataset stripes(std::int64_t size) {
  HostTensor x({DType::u8, {size, 8, 8}}), y({DType::i32, {size}});
  const std::span<std::uint8_t> pixels = x.as<std::uint8_t>();
  for (std::int64_t i = 0; i < size; ++i) {
    const std::int64_t place = (i * 5) % 8, grey = 100 + (i * 37) % 150;
    for (std::int64_t k = 0; k < 8; ++k)
      pixels[static_cast<std::size_t>(64 * i + (i % 2 == 0 ? 8 * place + k : 8 * k + place))] =
          static_cast<std::uint8_t>(grey);
    y.as<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % 2);
  }
  return {"stripes", std::move(x), data::Array(std::move(y)), {"lying", "standing"}};
}

nn::Sequential small_network() {
  return {nn::Reshape{{8, 8, 1}}, nn::Conv2D{.filters = 4, .size = {3, 3}, .activation = nn::relu},
          nn::Flatten{}, nn::Dropout{0.2}, nn::Dense{2}};
}

TrainerOptions augmented_options(const std::string& device) {
  TrainerOptions options = small_options(device);
  options.optimizer = optim::Adam{.learning_rate = 0.01};
  options.augmentation = augment::parse("flip,crop:padding=1,brightness");
  return options;
}

class OptionsOn : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Devices, OptionsOn, testing::ValuesIn(tested_devices()),
                         [](const auto& test) { return test.param; });

TEST_P(OptionsOn, AugmentedSamplesDependOnTheirEpochAndIndexAlone) {
  const data::Dataset data = stripes(20);
  const auto weights = [&](const data::Source& source, bool stops) {
    const TemporaryFolder folder;
    FitOptions options{.epochs = 3, .batch_size = 8, .checkpoint_every = 1};
    options.run_folder = folder / "run";
    options.loading.workers = 2;
    if (stops) {
      options.max_steps = 5;
      Trainer(small_network(), augmented_options(GetParam())).fit(source, options);
      options.max_steps = 0;
      options.resume = true;
    }
    Trainer trainer(small_network(), augmented_options(GetParam()));
    trainer.fit(source, options);
    return trainer.predict(data.x());
  };
  const HostTensor expected = weights(data, false);
  EXPECT_EQ(weights(data, true), expected);
  const std::uint64_t seed = 1;
  const data::Stream stream{
      "stripes",
      data::Pipeline::from(
          data, [](std::uint64_t epoch) { return data::epoch_order(20, seed, epoch, true); }),
      20, data.class_names()};
  EXPECT_EQ(weights(stream, false), expected);
  EXPECT_EQ(weights(stream, true), expected);
}

TEST_P(OptionsOn, AugmentationChangesTrainingAndNotEvaluation) {
  const data::Dataset data = stripes(20);
  Trainer plain(small_network(), small_options(GetParam()));
  Trainer augmented(small_network(), augmented_options(GetParam()));
  plain.build(data);
  augmented.build(data);
  EXPECT_EQ(plain.evaluate(data).loss, augmented.evaluate(data).loss);
  const FitOptions fit{.epochs = 1, .batch_size = 20, .shuffle = false};
  EXPECT_NE(plain.fit(data, fit).epochs[0].train.loss,
            augmented.fit(data, fit).epochs[0].train.loss);
}

TEST_P(OptionsOn, MixedSamplesHaveSoftTargets) {
  const data::Dataset data = stripes(40);
  TrainerOptions options = small_options(GetParam());
  options.optimizer = optim::Adam{.learning_rate = 0.02};
  options.augmentation = augment::parse("mixup");
  Trainer trainer(small_network(), options);
  const History history = trainer.fit(data, {.epochs = 8, .batch_size = 20});
  EXPECT_GT(trainer.evaluate(data)["accuracy"], 0.9);
  // Mixed targets cannot be met exactly.
  EXPECT_GT(history.epochs.back().train.loss, trainer.evaluate(data).loss);
}

TEST(TrainingOptions, MixingNeedsACategoricalLoss) {
  TrainerOptions options = small_options();
  options.loss = nn::mean_squared_error;
  options.metrics = {};
  options.augmentation = augment::parse("cutmix");
  EXPECT_EQ(error_of([&] { Trainer(small_network(), options); }),
            "Trainer: the augmentation mixes samples, which needs a categorical cross entropy; the "
            "loss is mean_squared_error");
}

TEST_P(OptionsOn, NarrowPrecisionTrainsWeightsOfF32) {
  const data::Dataset data = stripes(40);
  const auto loss = [&](PrecisionPolicy precision) {
    TrainerOptions options = small_options(GetParam());
    options.optimizer = optim::Adam{.learning_rate = 0.02};
    options.precision = precision;
    const TemporaryFolder folder;
    Trainer trainer(small_network(), options);
    trainer.fit(data, {.epochs = 4, .batch_size = 20, .run_folder = folder / "run"});
    for (const Variable& weight : trainer.weights()) EXPECT_EQ(weight.type().dtype, DType::f32);
    EXPECT_EQ(load(folder / "run").options().precision, precision);
    return trainer.evaluate(data).loss;
  };
  const double wide = loss(PrecisionPolicy::f32);
  for (const PrecisionPolicy narrow : {PrecisionPolicy::bf16, PrecisionPolicy::fp16}) {
    const double found = loss(narrow);
    EXPECT_NE(found, wide);
    EXPECT_NEAR(found, wide, 0.02 * wide + 1e-3);
  }
}

TEST(TrainingOptions, NarrowPrecisionIsForF32) {
  TrainerOptions options = small_options();
  options.dtype = DType::f64;
  options.precision = PrecisionPolicy::bf16;
  EXPECT_EQ(error_of([&] { Trainer(small_model(), options); }),
            "Trainer: precision bf16 is for weights of f32, dtype is f64");
}

}  // namespace
}  // namespace tenon

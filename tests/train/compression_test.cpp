// The three ways of compression on real images: what they cost stays small, what they save is
// exact.
#include "tenon/train/compression.h"

#include "tenon/data/images.h"
#include "tenon/train/distill.h"
#include "tenon/train/prune.h"
#include "tenon/train/quantize.h"
#include "train_testing.h"

namespace tenon {
namespace {

struct Clothes {
  data::Dataset train, test;
};

const Clothes& clothes() {
  static const Clothes parts = [] {
    const data::TrainTest all = data::fashion_mnist();
    return Clothes{all.train.take(3000), all.test.take(1000)};
  }();
  return parts;
}

nn::Sequential clothes_model(std::int64_t width) {
  return {nn::Flatten{}, nn::Dense{width, nn::relu}, nn::Dense{10}};
}

TrainerOptions clothes_options() {
  TrainerOptions options = small_options("cpu");
  options.optimizer = optim::Adam{.learning_rate = 1e-3};
  return options;
}

Trainer trained_on_clothes(std::int64_t width, std::int64_t epochs) {
  Trainer trainer(clothes_model(width), clothes_options());
  trainer.fit(clothes().train, {.epochs = epochs, .batch_size = 50});
  return trainer;
}

TEST(CompressionOfClothes, FourOfFiveWeightsAreNotMissed) {
  const TemporaryFolder folder;
  Trainer trainer = trained_on_clothes(64, 8);
  Compression compression;
  compression.before = trainer.evaluate(clothes().test);
  compression.bytes_before = weight_bytes(trainer);
  ASSERT_GT(compression.before["accuracy"], 0.78);
  MagnitudePruning pruning({.sparsity = 0.8,
                            .begin_step = trainer.steps_done(),
                            .end_step = trainer.steps_done() + 300,
                            .every = 10});
  FitOptions more{.epochs = 10, .batch_size = 50};
  more.callbacks = {&pruning};
  trainer.fit(clothes().train, more);
  compression.after = trainer.evaluate(clothes().test);
  compression.bytes_after = write_sparse_weights(folder / "w.safetensors", trainer);
  EXPECT_NEAR(sparsity_of(trainer, pruned_weights(trainer, {})), 0.8, 1e-4);
  EXPECT_GT(compression.after["accuracy"], compression.before["accuracy"] - 0.03)
      << to_string(compression);
  // 20 % of the values and a bit for each.
  EXPECT_NEAR(compression.bytes_saved(), 1 - 0.2 - 1.0 / 32, 0.005) << to_string(compression);
}

TEST(CompressionOfClothes, EightBitsAreEnough) {
  const TemporaryFolder folder;
  Trainer trainer = trained_on_clothes(64, 8);
  quantize(trainer, clothes().train, folder / "int8");
  Trainer small = load(folder / "int8", {.device = "cpu", .threads = 1});
  const Compression compression = compare_models(trainer, small, clothes().test);
  EXPECT_GT(compression.after["accuracy"], compression.before["accuracy"] - 0.01)
      << to_string(compression);
  EXPECT_NEAR(compression.bytes_saved(), 0.75, 0.01) << to_string(compression);
}

TEST(CompressionOfClothes, ASmallModelLearnsFromALargeOne) {
  Trainer large = trained_on_clothes(128, 10);
  Trainer taught(nn::Distilled{clothes_model(8), frozen_teacher(large), 4, 0.9}, clothes_options());
  taught.fit(clothes().train, {.epochs = 10, .batch_size = 50});
  const Compression compression = compare_models(large, taught, clothes().test);
  EXPECT_GT(compression.bytes_saved(), 0.9) << to_string(compression);
  EXPECT_GT(compression.after["accuracy"], 0.70) << to_string(compression);
}

TEST(Compression, IsToldAsATable) {
  Compression compression;
  compression.before = {0.5, {{"accuracy", 0.875}}, 10};
  compression.after = {0.625, {{"accuracy", 0.75}}, 10};
  compression.bytes_before = 1000;
  compression.bytes_after = 250;
  EXPECT_EQ(to_string(compression),
            "                               before        after       change\n"
            "loss                              0.5        0.625       +0.125\n"
            "accuracy                        0.875         0.75       -0.125\n"
            "bytes of the weights             1000          250       -75.0 %\n");
}

}  // namespace
}  // namespace tenon

// Models that learn from targets of their own: metrics are of those, not of the labels.
#include "tenon/nn/electra.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/masked_tokens.h"
#include "train_testing.h"

namespace tenon {
namespace {

constexpr std::int64_t kTokens = 9, kMask = 9, kTime = 4;

// Every token is 3, whose next tokens the labels claim to be 5: a text of more tokens than a
// window.
data::Dataset threes() {
  HostTensor x({DType::i32, {40, kTime}}), y({DType::i32, {40, kTime}});
  std::ranges::fill(x.as<std::int32_t>(), 3);
  std::ranges::fill(y.as<std::int32_t>(), 5);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < kTokens; ++i) names.push_back(fmt::format("{}", i));
  return {"threes", std::move(x), data::Array(std::move(y)), names};
}

nn::Sequential tagger(std::int64_t units) {
  return {nn::Embedding{kMask + 1, 4}, nn::Dense{units}};
}

TrainerOptions options_on(const std::string& device, std::vector<nn::Metric> metrics) {
  TrainerOptions options = small_options(device);
  options.metrics = std::move(metrics);
  return options;
}

TEST(OwnTargets, OfMaskedTokensAreTheMaskedOnes) {
  for (const std::string& device : tested_devices()) {
    nn::MaskedTokens model;
    model.rate = 0.5;
    model.mask_token = kMask;
    model.model = tagger(kMask + 1);
    Trainer trainer(nn::Layer(model), options_on(device, {nn::accuracy, nn::perplexity}));
    EXPECT_FALSE(trainer.makes_own_targets());
    trainer.fit(threes(), {.epochs = 30, .batch_size = 10});
    EXPECT_TRUE(trainer.makes_own_targets());
    const Evaluation found = trainer.evaluate(threes());
    EXPECT_LT(found.loss, 0.05) << device;
    EXPECT_EQ(found["accuracy"], 1) << device;
    EXPECT_NEAR(found["perplexity"], std::exp(found.loss), 1e-4) << device;
  }
}

TEST(OwnTargets, OfElectraAreTheReplacedTokens) {
  for (const std::string& device : tested_devices()) {
    nn::Electra model;
    model.mask_rate = 0.5;
    model.mask_token = kMask;
    model.generator = tagger(kMask + 1);
    model.discriminator = tagger(1);
    Trainer trainer(nn::Layer(model), options_on(device, {nn::accuracy}));
    // Before it has learned anything, the generator fills in wrong tokens, which are not found.
    trainer.build(threes());
    EXPECT_LT(trainer.evaluate(threes())["accuracy"], 1) << device;
    trainer.fit(threes(), {.epochs = 30, .batch_size = 10});
    const Evaluation found = trainer.evaluate(threes());
    EXPECT_LT(found.loss, 0.5) << device;
    EXPECT_EQ(found["accuracy"], 1) << device;
    EXPECT_TRUE(trainer.makes_own_targets());
  }
}

}  // namespace
}  // namespace tenon

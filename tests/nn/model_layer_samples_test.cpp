// Padding, upsampling, skips, class tokens, the variational code and log-mel features, with
// gradients, against data/model_layer_samples.json.
#include "layer_sample_testing.h"
#include "tenon/nn/image_shapes.h"
#include "tenon/nn/log_mel.h"
#include "tenon/nn/sequence_steps.h"
#include "tenon/nn/skip.h"
#include "tenon/nn/variational.h"

namespace tenon::nn {
namespace {

class ModelLayerSamples : public testing::TestWithParam<const char*> {};

TEST_P(ModelLayerSamples, AgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> kinds;
  const Json samples = samples::read_samples("model_layer_samples.json");
  for (const Json& sample : samples.at("layers")) {
    kinds.insert(sample.at("layer").get<std::string>());
    add_layer(all, session, sample);
  }
  all.check(session);
  EXPECT_EQ(kinds.size(), 8u);
}

INSTANTIATE_TEST_SUITE_P(Devices, ModelLayerSamples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

// Kingma, Welling 2014, appendix B: -1/2 sum (1 + log v - m^2 - v), here for three samples.
TEST(Variational, AddsItsDivergence) {
  const Tensor x = numbers({3, 4}, {0, 0, 0, 0, 1, -2, 0.5, -0.5, 3, 0, 1, 2});
  Context context(Mode::inference);
  Layer(Variational{.weight = 2})(x, context);
  ASSERT_EQ(context.losses().size(), 1u);
  const auto term = [](double mean, double log_variance) {
    return -0.5 * (1 + log_variance - mean * mean - std::exp(log_variance));
  };
  EXPECT_NEAR(doubles(context.losses()[0].sum)[0],
              2 * (term(1, 0.5) + term(-2, -0.5) + term(3, 1) + term(0, 2)), 1e-12);
  EXPECT_EQ(doubles(context.losses()[0].weight)[0], 3);
}

TEST(Variational, DrawsInTrainingAlone) {
  const std::int64_t rows = 400;
  const Tensor x = concatenate(
      std::array{full({rows, 5}, 2, DType::f64), full({rows, 5}, std::log(9.0), DType::f64)}, 1);
  Context context(Mode::training, random::key(4));
  const Tensor drawn = Layer(Variational{})(x, context);
  EXPECT_NEAR(doubles(mean(drawn))[0], 2, 0.3);
  EXPECT_NEAR(doubles(sqrt(mean(square(drawn - mean(drawn)))))[0], 3, 0.3);
  Context quiet(Mode::training, random::key(4));
  EXPECT_EQ(Layer(Variational{.noise = 0})(x, quiet).value(),
            full({rows, 5}, 2, DType::f64).value());
  Context inference(Mode::inference);
  EXPECT_EQ(Layer(Variational{})(x, inference).value(), full({rows, 5}, 2, DType::f64).value());
}

std::string model_layer_error(const Layer& layer, const TensorType& input) {
  const std::string text = error_of([&] { weight_names(layer, input); });
  return text.substr(0, text.find('\n'));
}

TEST(ModelLayers, RefuseWhatDoesNotFit) {
  const TensorType image{DType::f32, {2, 6, 6, 4}}, rows{DType::f32, {2, 6}},
      sequence{DType::f32, {2, 6, 4}}, integers{DType::i32, {2, 6, 4}};
  EXPECT_EQ(model_layer_error(ZeroPad2D{}, sequence),
            "ZeroPad2D: expected input [batch, height, width, channels], got f32[2,6,4]");
  EXPECT_EQ(model_layer_error(ZeroPad2D{{-1}, {1}}, image),
            "ZeroPad2D: before must be from 0 to 65536, got -1");
  EXPECT_EQ(model_layer_error(ZeroPad2D{{1}, {1, 1, 1}}, image),
            "ZeroPad2D: after takes one or two numbers, got 3");
  EXPECT_EQ(model_layer_error(UpSample2D{{0}}, image),
            "UpSample2D: size must be from 1 to 65536, got 0");
  EXPECT_EQ(model_layer_error(ChannelShortcut{3}, image),
            "ChannelShortcut: 3 channels cannot be made of f32[2,6,6,4]; it adds channels, up to "
            "16777216");
  EXPECT_EQ(model_layer_error(ChannelShortcut{8, 0}, image),
            "ChannelShortcut: stride must be from 1 to 65536, got 0");
  EXPECT_EQ(model_layer_error(SkipConcat{GlobalAvgPool1D{}}, sequence),
            "SkipConcat: the body gives f32[2,4] for f32[2,6,4]: they cannot stand side by side in "
            "the last axis");
  EXPECT_EQ(model_layer_error(ClassToken{}, integers),
            "ClassToken: expected a float input [batch, time, features], got i32[2,6,4]");
  EXPECT_EQ(model_layer_error(SelectStep{6}, sequence),
            "SelectStep: f32[2,6,4] has 6 steps, so there is no step 6");
  EXPECT_EQ(model_layer_error(Variational{}, {DType::f32, {2, 5}}),
            "Variational: expected a float input [batch, ..., 2 * width], a mean and a log "
            "variance for each number, got f32[2,5]");
  EXPECT_EQ(model_layer_error(Variational{.weight = -1}, rows),
            "Variational: weight and noise must be finite and not negative, got -1 and 1");
  EXPECT_EQ(model_layer_error(LogMel{}, sequence),
            "LogMel: expected a float input [batch, samples], got f32[2,6,4]");
}

}  // namespace
}  // namespace tenon::nn

// Activations, convolutions, pools, norms and shortcuts, with gradients of inputs and weights,
// against data/image_layer_samples.json.
#include "layer_sample_testing.h"

namespace tenon::nn {
namespace {

class ImageSamples : public testing::TestWithParam<const char*> {};

TEST_P(ImageSamples, LayersAgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> kinds;
  const Json samples = samples::read_samples("image_layer_samples.json");
  for (const Json& sample : samples.at("layers")) {
    kinds.insert(sample.at("layer").get<std::string>());
    add_layer(all, session, sample);
  }
  all.check(session);
  EXPECT_EQ(kinds.size(), 21u);
}

INSTANTIATE_TEST_SUITE_P(Devices, ImageSamples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

// Of whole channels, in training alone.
TEST(SpatialDropout, ZeroesWholeChannels) {
  const Tensor x = tenon::ones({8, 5, 3, 40});
  Context context(Mode::training, random::key(1));
  const Tensor y = Layer(SpatialDropout{0.25})(x, context);
  EXPECT_EQ(max(y, {1, 2}).value(), min(y, {1, 2}).value());
  const std::vector<double> channels = doubles(max(y, {1, 2}));
  EXPECT_NEAR(static_cast<double>(std::ranges::count(channels, 0.0)), 80, 30);
  EXPECT_NEAR(std::ranges::max(channels), 4.0 / 3, 1e-6);
  Context inference(Mode::inference);
  EXPECT_EQ(Layer(SpatialDropout{0.25})(x, inference).value(), x.value());
}

// The message without the place of the layer.
std::string first_line_of(const Layer& layer, const TensorType& input) {
  const std::string text = error_of([&] { weight_names(layer, input); });
  return text.substr(0, text.find('\n'));
}

TEST(ImageLayers, RefuseWhatDoesNotFit) {
  const TensorType image{DType::f32, {2, 6, 6, 4}}, rows{DType::f32, {2, 6}},
      integers{DType::i32, {2, 6, 4}}, sequence{DType::f32, {2, 6, 4}};
  EXPECT_EQ(first_line_of(Conv1D{.filters = 2}, image),
            "Conv1D: expected input [batch, length, channels], got f32[2,6,6,4]");
  EXPECT_EQ(first_line_of(Conv1D{.filters = 2}, integers),
            "Conv1D: input must be float, got i32[2,6,4]");
  EXPECT_EQ(first_line_of(Conv1D{.filters = 2, .size = 0}, sequence),
            "Conv1D: size must be above 0, got 0");
  EXPECT_EQ(
      first_line_of(Conv1D{.filters = 2, .same_padding = true, .causal_padding = true}, sequence),
      "Conv1D: causal and same padding exclude each other");
  EXPECT_EQ(first_line_of(Conv1D{.filters = 2, .dilation = 1ll << 40}, sequence),
            "convolution: strides and dilation must be at most 1048576");
  EXPECT_EQ(first_line_of(Conv2DTranspose{.filters = 2, .strides = {1ll << 60}}, image),
            "transposed_convolution: strides and dilation must be at most 1048576");
  EXPECT_EQ(first_line_of(Conv2DTranspose{.filters = 2, .groups = 3}, image),
            "Conv2DTranspose: 3 groups do not divide 4 input channels and 2 filters");
  EXPECT_EQ(
      first_line_of(DepthwiseConv2D{.multiplier = 0}, image),
      "DepthwiseConv2D: needs channels and a multiplier from 1 to 1048576, got 4 channels and "
      "multiplier 0");
  EXPECT_EQ(first_line_of(SeparableConv2D{.filters = 2, .size = {1, 2, 3}}, image),
            "SeparableConv2D: size takes one or two numbers, got 3");
  EXPECT_EQ(first_line_of(MaxPool1D{}, image),
            "MaxPool1D: expected input [batch, length, channels], got f32[2,6,6,4]");
  EXPECT_EQ(first_line_of(AvgPool1D{.size = 0}, sequence),
            "AvgPool1D: size must be above 0 and stride at least 0, got 0 and 0");
  EXPECT_EQ(first_line_of(GlobalAvgPool2D{}, sequence),
            "GlobalAvgPool2D: expected input [batch, height, width, channels], got f32[2,6,4]");
  EXPECT_EQ(first_line_of(GlobalMaxPool1D{}, integers),
            "GlobalMaxPool1D: input must be float, got i32[2,6,4]");
  EXPECT_EQ(first_line_of(GroupNorm{.groups = 3}, image),
            "GroupNorm: 3 groups do not divide 4 channels");
  EXPECT_EQ(first_line_of(GroupNorm{.groups = 2, .epsilon = -1}, image),
            "GroupNorm: epsilon must be a finite number of 0 or more, got -1");
  EXPECT_EQ(first_line_of(InstanceNorm{}, rows),
            "InstanceNorm: expected a float input [batch, ..., channels] of rank 3 or more, got "
            "f32[2,6]");
  EXPECT_EQ(first_line_of(PReLU{}, integers),
            "PReLU: expected a float input [batch, ..., channels], got i32[2,6,4]");
  EXPECT_EQ(first_line_of(SpatialDropout{0.5}, rows),
            "SpatialDropout: expected a float input [batch, ..., channels] of rank 3 or more, got "
            "f32[2,6]");
  EXPECT_EQ(first_line_of(Permute{{2, 2}}, sequence),
            "Permute: axes [2, 2] are not an order of the axes after the batch of f32[2,6,4]");
  EXPECT_EQ(first_line_of(Residual{.body = Dense{3}}, sequence),
            "Residual: the body gives f32[2,6,3], the shortcut f32[2,6,4]: they cannot be added");
}

}  // namespace
}  // namespace tenon::nn

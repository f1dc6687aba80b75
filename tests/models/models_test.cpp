#include "tenon/models/models.h"

#include <gtest/gtest.h>

#include "../error_of.h"
#include "tenon/base/error.h"
#include "tenon/nn/context.h"

namespace tenon::models {
namespace {

// "name type" of every weight after a trace on inputs of this type, and the output's type.
std::vector<std::string> weights_of(nn::Sequential model, const TensorType& input,
                                    TensorType& output) {
  nn::Context context(nn::Mode::inference);
  output = model(placeholder("x", input), context).type();
  std::vector<std::string> weights;
  for (const Variable& variable : context.variables())
    weights.push_back(fmt::format("{} {}", variable.name(), variable.type()));
  return weights;
}

TEST(Mlp, HasOneDenseLayerPerWidthAndTheOutputs) {
  TensorType output;
  const auto weights = weights_of(mlp({128, 64}, 10), {DType::f32, {3, 28, 28}}, output);
  EXPECT_EQ(weights,
            (std::vector<std::string>{"dense/kernel f32[784,128]", "dense/bias f32[128]",
                                      "dense_1/kernel f32[128,64]", "dense_1/bias f32[64]",
                                      "dense_2/kernel f32[64,10]", "dense_2/bias f32[10]"}));
  EXPECT_EQ(output, (TensorType{DType::f32, {3, 10}}));
}

TEST(Mlp, WithoutHiddenLayersIsLinear) {
  TensorType output;
  EXPECT_EQ(weights_of(mlp({}, 1), {DType::f64, {2, 4}}, output),
            (std::vector<std::string>{"dense/kernel f64[4,1]", "dense/bias f64[1]"}));
  EXPECT_EQ(output, (TensorType{DType::f64, {2, 1}}));
}

TEST(Lenet, HasTheSizesOfThePaper) {
  TensorType output;
  const auto weights = weights_of(lenet(10), {DType::f32, {2, 28, 28}}, output);
  EXPECT_EQ(weights,
            (std::vector<std::string>{"conv2d/kernel f32[5,5,1,6]", "conv2d/bias f32[6]",
                                      "conv2d_1/kernel f32[5,5,6,16]", "conv2d_1/bias f32[16]",
                                      "dense/kernel f32[400,120]", "dense/bias f32[120]",
                                      "dense_1/kernel f32[120,84]", "dense_1/bias f32[84]",
                                      "dense_2/kernel f32[84,10]", "dense_2/bias f32[10]"}));
  EXPECT_EQ(output, (TensorType{DType::f32, {2, 10}}));
}

TEST(Lenet, TakesColourImagesAndOtherSizes) {
  TensorType output;
  const auto weights =
      weights_of(lenet(3, {.filters = {2, 4}, .hidden = {8}, .image = {16, 12, 3}}),
                 {DType::f32, {1, 16, 12, 3}}, output);
  EXPECT_EQ(weights.front(), "conv2d/kernel f32[5,5,3,2]");
  EXPECT_EQ(weights[4], "dense/kernel f32[8,8]");  // 2 x 1 places of 4 filters
  EXPECT_EQ(output, (TensorType{DType::f32, {1, 3}}));
}

TEST(Models, SizesAreChecked) {
  EXPECT_EQ(error_of([] { mlp({4, 0}, 1); }), "mlp: hidden widths must be above 0, got 0");
  EXPECT_EQ(error_of([] { mlp({4}, -1); }), "mlp: outputs must be above 0, got -1");
  EXPECT_EQ(error_of([] { lenet(0); }), "lenet: classes must be above 0, got 0");
  EXPECT_EQ(error_of([] { lenet(10, {.filters = {6}}); }),
            "lenet: two numbers of filters expected, got 1");
  EXPECT_EQ(error_of([] {
              lenet(10, {.filters = {6, -2}});
            }),
            "lenet: filters must be above 0, got -2");
  EXPECT_EQ(error_of([] { lenet(10, {.hidden = {0}}); }),
            "lenet: hidden widths must be above 0, got 0");
  EXPECT_EQ(error_of([] { lenet(10, {.image = {784}}); }),
            "lenet: images of shape [height, width] or [height, width, channels] expected, got "
            "[784]");
  EXPECT_EQ(error_of([] {
              lenet(10, {.image = {28, 11}});
            }),
            "lenet: images of at least 12 by 12 pixels expected, got [28, 11]");
}

}  // namespace
}  // namespace tenon::models

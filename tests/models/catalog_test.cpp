// Every network of the catalog: numbers of weights, shapes, kinds of layers, refused options.
#include "tenon/models/catalog.h"
#include "tenon/nn/part_visitor.h"

#include <gtest/gtest.h>

#include "tenon/base/text.h"
#include "tenon/nn/context.h"
#include "tenon/nn/field_visitor.h"

namespace tenon::models {
namespace {

struct Traced {
  TensorType output;
  std::int64_t weights = 0;     // numbers that are trained
  std::int64_t statistics = 0;  // numbers of running statistics
};

Traced trace(const std::string& text, const TensorType& sample, std::int64_t outputs) {
  const nn::Layer model = make_model(text, {sample, outputs});
  TensorType batch{is_float(sample.dtype) ? sample.dtype : DType::f32, sample.shape};
  batch.shape.insert(batch.shape.begin(), 2);
  nn::Context context(nn::Mode::inference);
  Traced traced;
  traced.output = model.call_as_root(placeholder("x", batch), context).type();
  for (const Variable& variable : context.variables())
    (variable.kind() == VariableKind::weight ? traced.weights : traced.statistics) +=
        element_count(variable.shape());
  return traced;
}

std::string refusal_of(const std::string& text, const Request& request) {
  try {
    make_model(text, request);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no UserError";
}

const TensorType kColour{DType::f32, {32, 32, 3}}, kLarge{DType::f32, {224, 224, 3}},
    kGrey{DType::u8, {28, 28}};

// He et al. 2016, table 6: 0.27, 0.46 and 0.85 million.
TEST(Catalog, SmallResnetsHaveTheSizesOfThePaper) {
  EXPECT_EQ(trace("resnet20", kColour, 10).weights, 269722);
  EXPECT_EQ(trace("resnet32", kColour, 10).weights, 464154);
  EXPECT_EQ(trace("resnet56", kColour, 10).weights, 853018);
  EXPECT_EQ(trace("resnet20:projected=1", kColour, 10).weights, 272474);
  EXPECT_EQ(trace("resnet20", kColour, 10).output, (TensorType{DType::f32, {2, 10}}));
  // Grey images have one channel: 2 * 3 * 3 * 16 weights fewer.
  EXPECT_EQ(trace("resnet20", kGrey, 10).weights, 269722 - 288);
}

// torchvision 0.29: sums over parameters() and over running means and variances.
TEST(Catalog, NetworksForImageNetHaveTheSizesOfTorchvision) {
  const Traced resnet18 = trace("resnet18", kLarge, 1000);
  EXPECT_EQ(resnet18.weights, 11689512);
  EXPECT_EQ(resnet18.statistics, 9600);
  const Traced resnet50 = trace("resnet50", kLarge, 1000);
  EXPECT_EQ(resnet50.weights, 25557032);
  EXPECT_EQ(resnet50.statistics, 53120);
  EXPECT_EQ(resnet50.output, (TensorType{DType::f32, {2, 1000}}));
  const Traced mobilenet = trace("mobilenet-v2", kLarge, 1000);
  EXPECT_EQ(mobilenet.weights, 3504872);
  EXPECT_EQ(mobilenet.statistics, 34112);
  EXPECT_EQ(trace("mobilenet-v2:width=0.5", kLarge, 1000).weights, 1968680);
}

// timm's vit_tiny_patch16_224.
TEST(Catalog, VitTinyHasItsSize) {
  EXPECT_EQ(trace("vit", kLarge, 1000).weights, 5717416);
  EXPECT_EQ(trace("vit:patch=7:width=24:layers=1:heads=2:mean=1", kGrey, 10).output,
            (TensorType{DType::f32, {2, 10}}));
}

// 31,037,698 of github.com/milesial/Pytorch-UNet, which has the same layers, for 3 channels and 2
// classes.
TEST(Catalog, UnetHasItsSizeAndAClassForEachPixel) {
  const Traced unet = trace("unet", {DType::f32, {64, 64, 3}}, 2);
  EXPECT_EQ(unet.weights, 31037698);
  EXPECT_EQ(unet.output, (TensorType{DType::f32, {2, 64, 64, 2}}));
  EXPECT_EQ(trace("unet:width=4:depth=2", {DType::u8, {28, 28}}, 5).output,
            (TensorType{DType::f32, {2, 28, 28, 5}}));
}

TEST(Catalog, AutoencodersGiveWhatTheyAreGiven) {
  for (const char* text : {"autoencoder", "conv-autoencoder", "vae"}) {
    EXPECT_EQ(trace(text, kGrey, 784).output, (TensorType{DType::f32, {2, 28, 28}})) << text;
    EXPECT_EQ(trace(text, kColour, 3072).output, (TensorType{DType::f32, {2, 32, 32, 3}})) << text;
  }
  // The network of PyTorch's example: 784 - 400 - 20 and back.
  EXPECT_EQ(trace("vae", kGrey, 784).weights,
            784 * 400 + 400 + 400 * 40 + 40 + 20 * 400 + 400 + 400 * 784 + 784);
}

class ActivationReader final : public nn::PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, nn::Activation& activation) override {
    activations.push_back(activation);
  }
  std::vector<nn::Activation> activations;
};

// Hinton and Salakhutdinov 2006: only the code and here, for data of any range, the output.
TEST(Catalog, TheCodeOfAnAutoencoderIsLinear) {
  nn::Layer model = make_model("autoencoder:hidden=8/6:code=4", {kGrey, 784});
  ActivationReader reader;
  model.fields(reader);
  using nn::linear, nn::relu;
  EXPECT_EQ(reader.activations,
            (std::vector<nn::Activation>{relu, relu, linear, relu, relu, linear}));
}

TEST(Catalog, LinearNetworksHaveOneLayer) {
  EXPECT_EQ(trace("linear-regression", {DType::f64, {13}}, 1).weights, 14);
  EXPECT_EQ(trace("logistic-regression", {DType::f32, {4}}, 3).weights, 15);
}

TEST(Catalog, SpeechCommandsTakeSoundsAndFeatures) {
  const Traced sound = trace("speech-commands", {DType::f32, {16000}}, 12);
  EXPECT_EQ(sound.output, (TensorType{DType::f32, {2, 12}}));
  // Zhang et al. 2017 give 38.6 KB in bytes for DS-CNN S, with other features.
  EXPECT_EQ(sound.weights, 2 * 40 + 10 * 4 * 64 + 4 * (9 * 64 + 64 * 64) + 9 * 128 + 64 * 12 + 12);
  EXPECT_EQ(trace("speech-commands", {DType::f32, {98, 40}}, 12).weights, sound.weights);
}

// Kinds that make_layer does not know would make run folders that cannot be loaded.
class KindChecker final : public nn::PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, nn::Layer& layer) override { check(layer); }
  void operator()(std::string_view, std::vector<nn::Layer>& layers) override {
    for (const nn::Layer& layer : layers) check(layer);
  }
  void check(const nn::Layer& layer) {
    EXPECT_EQ(nn::make_layer(layer.kind()).kind(), layer.kind());
    layer.fields(*this);
    ++layers;
  }
  int layers = 0;
};

TEST(Catalog, EveryLayerCanBeMadeAgain) {
  KindChecker checker;
  for (const char* text :
       {"mlp", "lenet", "resnet20", "resnet18:small=1", "resnet50", "mobilenet-v2:dropout=0.2",
        "unet", "vit:dropout=0.1", "logistic-regression"})
    checker.check(make_model(text, {{DType::f32, {32, 32, 3}}, 10}));
  for (const char* text : {"autoencoder", "conv-autoencoder", "vae"})
    checker.check(make_model(text, {kColour, 3072}));
  checker.check(make_model("speech-commands", {{DType::f32, {16000}}, 10}));
  EXPECT_GT(checker.layers, 500);
}

TEST(Catalog, RefusesWhatItDoesNotKnow) {
  const Request image{kColour, 10};
  EXPECT_EQ(refusal_of("resnet21", image),
            fmt::format("unknown model \"resnet21\"; known: {}; did you mean \"resnet20\"?",
                        join(model_names(), ", ")));
  EXPECT_EQ(
      refusal_of("resnet20:depth=20", image),
      "model \"resnet20:depth=20\": unknown option \"depth\"; known: blocks, width, projected");
  EXPECT_EQ(refusal_of("resnet20:width=1.5", image),
            "model resnet20: width must be a whole number from 1 to 16384, got 1.5");
  EXPECT_EQ(refusal_of("resnet20:width=1e300", image),
            "model resnet20: width must be a whole number from 1 to 16384, got 1e+300");
  EXPECT_EQ(refusal_of("resnet18:blocks=2/0", image),
            "model resnet18: blocks must be a whole number from 1 to 16777216, got 0");
  EXPECT_EQ(refusal_of("resnet18:blocks=0", image), "resnet: 1 to 8 stages expected, got 0");
  EXPECT_EQ(refusal_of("resnet20", {{DType::f32, {784}}, 10}),
            "resnet: images of shape [height, width] or [height, width, channels] expected, got "
            "[784]");
  EXPECT_EQ(refusal_of("resnet20", {{DType::i32, {64}}, 10}),
            "resnet20 takes numbers, the data's samples are i32[64]");
  EXPECT_EQ(refusal_of("resnet20", {kColour, 0}), "model resnet20: outputs must be above 0, got 0");
  EXPECT_EQ(refusal_of("mobilenet-v2:width=0", image),
            "model mobilenet-v2: width must be from 0.01 to 64, got 0");
  EXPECT_EQ(refusal_of("mobilenet-v2", {kColour, 10, nn::gelu}),
            "mobilenet-v2 has activations of its own; gelu cannot be chosen");
  EXPECT_EQ(
      refusal_of("unet", {{DType::f32, {28, 28}}, 2}),
      "unet: the sides of [28, 28] are not multiples of 16, as depth 4 needs; choose a smaller "
      "depth, or another size of the images");
  EXPECT_EQ(refusal_of("vit", {{DType::f32, {28, 28}}, 2}),
            "vit: patches of 16 pixels do not fill images of [28, 28]; choose another by "
            "vit:patch=N");
  EXPECT_EQ(refusal_of("vit:heads=5", image), "vit: 5 heads do not divide a width of 192");
  EXPECT_EQ(refusal_of("vae", image),
            "vae reconstructs its samples of 3072 numbers, the data asks for 10\n  help: --task "
            "reconstruction makes the samples their own targets");
  EXPECT_EQ(
      refusal_of("speech-commands", {kColour, 10}),
      "speech-commands: sounds of shape [samples], or features [frames, bands], expected, got "
      "[32, 32, 3]");
  EXPECT_EQ(refusal_of("mlp:hidden=8:hidden=4", image),
            "model \"mlp:hidden=8:hidden=4\": hidden is given twice");
}

}  // namespace
}  // namespace tenon::models

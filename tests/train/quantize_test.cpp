#include "tenon/train/quantize.h"

#include "../data/sample_reading.h"
#include "tenon/io/safetensors.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/quantized.h"
#include "tenon/nn/residual.h"
#include "tenon/tensor/functions.h"
#include "tenon/train/compression.h"
#include "tenon/train/histogram.h"
#include "train_testing.h"

namespace tenon {
namespace {

const nlohmann::json& compression_samples(const std::string& key) {
  static const nlohmann::json all = samples::read_samples("compression_samples.json");
  return all.at(key);
}

TEST(Quantize, KernelsAreThoseOfNumpyAndPytorch) {
  for (const char* key : {"dense", "convolution"})
    for (const nlohmann::json& sample : compression_samples(key)) {
      const QuantizedKernel found = quantize_kernel(samples::read_tensor(sample.at("kernel")));
      EXPECT_EQ(samples::difference(found.values, samples::read_tensor(sample.at("quantized")), 0),
                "");
      EXPECT_EQ(
          samples::difference(found.scale, samples::read_tensor(sample.at("kernel_scale")), 0), "");
    }
}

// Writes the quantised weights of a sample into a layer's variables and runs it.
template <class Quantized>
HostTensor output_of(Session& session, Quantized layer, const nlohmann::json& sample) {
  const HostTensor x = samples::read_tensor(sample.at("x"));
  const Tensor in = placeholder("x", x.type());
  nn::Context context(nn::Mode::inference, {}, x.dtype());
  const Tensor y = nn::Layer(layer)(in, context);
  session.write(layer.kernel, samples::read_tensor(sample.at("quantized")));
  session.write(layer.kernel_scale, samples::read_tensor(sample.at("kernel_scale")));
  session.write(layer.bias, samples::read_tensor(sample.at("bias")));
  session.write(layer.input_scale, filled({x.dtype(), {}}, sample.at("input_scale")));
  session.write(layer.input_zero_point, make_scalar(sample.at("zero_point").get<std::int32_t>()));
  return converted(session.run(y, {{in, x}}), DType::f64);
}

TEST(Quantize, LayersComputeWhatNumpyComputesInIntegers) {
  for (const std::string& device : tested_devices()) {
    Session session(device);
    for (const nlohmann::json& sample : compression_samples("dense")) {
      const std::int64_t units = sample.at("bias").at("shape")[0];
      const HostTensor y =
          output_of(session, nn::QuantizedDense{.units = units, .activation = nn::relu}, sample);
      EXPECT_EQ(samples::difference(y, samples::read_tensor(sample.at("y")), 1e-6), "") << device;
    }
    for (const nlohmann::json& sample : compression_samples("convolution")) {
      nn::QuantizedConv2D layer;
      const auto kernel = sample.at("kernel").at("shape").get<Shape>();
      layer.filters = kernel[3];
      layer.size = {kernel[0], kernel[1]};
      layer.strides = {sample.at("stride").get<std::int64_t>()};
      layer.same_padding = sample.at("same");
      layer.groups = sample.at("groups");
      const HostTensor y = output_of(session, layer, sample);
      EXPECT_EQ(samples::difference(y, samples::read_tensor(sample.at("y")), 1e-6), "") << device;
    }
  }
}

TEST(Quantize, RangesHoldZeroAndTheirEnds) {
  for (const auto& [low, high] : {std::pair(-1.0, 3.0), {0.5, 2.0}, {-4.0, -1.0}, {0.0, 1e-30}}) {
    const InputRange range = input_range(low, high);
    const auto value_of = [&](std::int64_t q) {
      return range.scale * static_cast<double>(q - range.zero_point);
    };
    EXPECT_EQ(value_of(range.zero_point), 0);
    EXPECT_GE(range.zero_point, -128);
    EXPECT_LE(range.zero_point, 127);
    EXPECT_LE(value_of(-128), std::min(low, 0.0) + range.scale / 2 + 1e-12 * range.scale);
    EXPECT_GE(value_of(127), std::max(high, 0.0) - range.scale / 2 - 1e-12 * range.scale);
  }
  EXPECT_EQ(input_range(0, 0).scale, 1);
}

TEST(Quantize, RefusesWeightsThatAreNotFinite) {
  EXPECT_EQ(error_of([] {
              quantize_kernel(make_tensor<float>({1, 2}, {1, NAN}));
            }),
            "quantize: a weight is nan");
  EXPECT_EQ(error_of([] {
              quantize_kernel(make_tensor<std::int32_t>({1, 2}, {1, 2}));
            }),
            "quantize: a kernel of floats expected, got i32[1,2]");
}

// 8 x 8 images: a bright bar that stands, lies or is not there.
data::Dataset bars(std::int64_t size) {
  HostTensor x({DType::u8, {size, 8, 8, 1}}), y({DType::i32, {size}});
  for (std::int64_t i = 0; i < size; ++i) {
    const std::int64_t label = i % 3, place = i / 3 % 8;
    y.as<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(label);
    for (std::int64_t k = 0; k < 64; ++k) {
      const bool bright = (label == 0 && k % 8 == place) || (label == 1 && k / 8 == place);
      x.as<std::uint8_t>()[static_cast<std::size_t>(i * 64 + k)] =
          static_cast<std::uint8_t>((bright ? 200 : 20) + (i * 7 + k * 13) % 40);
    }
  }
  return {"bars", std::move(x), data::Array(std::move(y)), {"stands", "lies", "none"}};
}

nn::Sequential image_model() {
  return {nn::Conv2D{.filters = 4, .activation = nn::relu, .same_padding = true},
          nn::Residual{nn::Conv2D{.filters = 4, .same_padding = true}},
          nn::BatchNorm{.momentum = 0.5},
          nn::MaxPool2D{},
          nn::Flatten{},
          nn::Dense{8, nn::relu},
          nn::Dense{3}};
}

TEST(Quantize, AModelOfImagesKeepsItsAccuracyAndLosesItsBytes) {
  for (const std::string& device : tested_devices()) {
    const TemporaryFolder folder;
    Trainer trainer(image_model(), small_options(device));
    trainer.fit(bars(24), {.epochs = 10, .batch_size = 8});
    const QuantizedLayers layers = quantize(trainer, bars(24), folder / "int8");
    EXPECT_EQ(layers.quantized,
              (std::vector<std::string>{"conv2d", "residual/conv2d", "dense", "dense_1"}));
    EXPECT_TRUE(layers.kept.empty());
    Trainer small = load(folder / "int8", {.device = device});
    const Compression both = compare_models(trainer, small, bars(24));
    EXPECT_GT(both.before["accuracy"], 0.9);
    EXPECT_GE(both.after["accuracy"], both.before["accuracy"] - 0.05);
    EXPECT_NE(both.after.loss, both.before.loss);
    EXPECT_GT(both.bytes_saved(), 0.5);
    const HostTensor exact = trainer.predict(bars(6).x()), near = small.predict(bars(6).x());
    EXPECT_EQ(samples::difference(near, exact, 0.2), "") << device;
    const io::Safetensors stored = io::read_safetensors(folder / "int8/model.safetensors");
    EXPECT_EQ(stored.tensors.at("quantized_dense/kernel").dtype(), DType::i8);
    EXPECT_EQ(stored.tensors.at("quantized_conv2d/kernel").type(),
              (TensorType{DType::i8, {3, 3, 1, 4}}));
    EXPECT_EQ(small.training().data, "bars");
  }
}

TEST(Quantize, RangesAreThoseOfTheDataAndItsPercentiles) {
  const TemporaryFolder folder;
  Trainer trainer(nn::Sequential{nn::Dense{3}}, small_options());
  trainer.build(blobs(60));
  const auto scale_of = [&](const std::string& name, double percentile) {
    quantize(trainer, blobs(60), folder / name, {.batch_size = 7, .percentile = percentile});
    const io::Safetensors stored = io::read_safetensors(folder / name + "/model.safetensors");
    return element_as_double(stored.tensors.at("quantized_dense/input_scale"), 0);
  };
  const Histogram all = histogram_of(blobs(60).x().tensor());
  EXPECT_NEAR(scale_of("all", 100), (all.max - all.min) / 255, 1e-8);
  EXPECT_LT(scale_of("most", 90), (all.max - all.min) / 255 * 0.99);
}

TEST(Quantize, SharedLayersStayOne) {
  const TemporaryFolder folder;
  const nn::Dense shared{2, nn::tanh};
  Trainer trainer(nn::Sequential{shared, shared, nn::Dense{3}}, small_options());
  trainer.build(blobs(12));
  const QuantizedLayers layers = quantize(trainer, blobs(12), folder / "int8");
  EXPECT_EQ(layers.quantized, (std::vector<std::string>{"dense", "dense_2"}));
  EXPECT_EQ(load(folder / "int8", "reference").weights().size(), 10u);
}

TEST(Quantize, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  Trainer trainer(small_model(), small_options());
  EXPECT_EQ(error_of([&] { quantize(trainer, blobs(3), folder / "a"); }),
            "quantize: the model has no weights yet; fit, build or load it first");
  trainer.build(blobs(3));
  trainer.save(folder / "there");
  EXPECT_EQ(error_of([&] { quantize(trainer, blobs(3), folder / "there"); }),
            folder / "there" + " holds a run already\n  help: choose another folder");
  EXPECT_EQ(error_of([&] { quantize(trainer, blobs(3), folder / "a", {.percentile = 50}); }),
            "quantize: a percentile above 50 and at most 100 expected, got 50");
  EXPECT_EQ(error_of([&] { quantize(trainer, blobs(3).take(0), folder / "a"); }),
            "quantize: dataset \"blobs\" has no samples");
  HostTensor x = blobs(3).x().tensor();
  x.as<float>()[2] = INFINITY;
  EXPECT_EQ(error_of([&] { quantize(trainer, data::Dataset("x", x), folder / "a"); }),
            "quantize: the inputs of \"dense\" are not all finite");
  Trainer none(nn::Sequential{nn::Flatten{}}, small_options());
  const data::Dataset wide("wide", HostTensor({DType::f32, {3, 3}}), blobs(3).y());
  none.build(wide);
  EXPECT_EQ(error_of([&] { quantize(none, wide, folder / "a"); }),
            "quantize: the model has no Dense or Conv2D layer");
}

}  // namespace
}  // namespace tenon

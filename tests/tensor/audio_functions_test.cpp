#include "tenon/tensor/audio_functions.h"

#include "../data/sample_reading.h"
#include "tenon/session/session.h"
#include "tensor_testing.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

StftOptions stft_options(const Json& json) {
  const auto padding = json.at("padding").get<std::string>();
  return {json.at("fft").get<std::int64_t>(), json.at("hop").get<std::int64_t>(),
          json.at("window").get<std::int64_t>(),
          padding == "none"    ? StftPadding::none
          : padding == "zeros" ? StftPadding::zeros
                               : StftPadding::reflect};
}

MelOptions mel_options(const Json& json) {
  return {json.at("rate").get<double>(),
          json.at("bands").get<std::int64_t>(),
          json.at("low").get<double>(),
          json.at("high").get<double>(),
          json.at("scale").get<std::string>() == "htk" ? MelScale::htk : MelScale::slaney,
          json.at("equal_area").get<bool>()};
}

std::vector<Tensor> call(const Json& sample, const Tensor& x) {
  const auto function = sample.at("function").get<std::string>();
  const Json& arguments = sample.at("arguments");
  if (function == "hann_window")
    return {hann_window(arguments.at("length").get<std::int64_t>(),
                        arguments.at("periodic").get<bool>(), DType::f64)};
  if (function == "mel_filter_bank")
    return {mel_filter_bank(arguments.at("fft").get<std::int64_t>() / 2 + 1, mel_options(arguments),
                            DType::f64)};
  if (function == "log_mel")
    return {log_mel(x, stft_options(arguments), mel_options(arguments),
                    arguments.at("floor").get<double>())};
  const Spectrum spectrum = stft(x, stft_options(arguments));
  return {spectrum.real, spectrum.imaginary};
}

// Functions and gradients as PyTorch and librosa give them, in f64 and, more loosely, in f32.
void expect_samples(std::string_view device, DType dtype, double tolerance) {
  Session session(device);
  std::vector<Feed> feeds;
  std::vector<Tensor> fetches;
  std::vector<HostTensor> expected;
  std::vector<std::string> labels;
  for (const Json& sample : samples::read_samples("audio_samples.json")) {
    Tensor x;
    if (sample.contains("input")) {
      const HostTensor value = converted(samples::read_tensor(sample.at("input")), dtype);
      x = placeholder(fmt::format("x{}", feeds.size()), value.type());
      feeds.emplace_back(x, value);
    }
    const std::string label =
        sample.at("function").get<std::string>() + " " + sample.at("arguments").dump();
    const std::vector<Tensor> found = call(sample, x);
    for (std::size_t i = 0; i < found.size(); ++i) {
      fetches.push_back(cast(found[i], dtype));
      expected.push_back(converted(samples::read_tensor(sample.at("outputs").at(i)), dtype));
      labels.push_back(label);
    }
    if (x.is_empty()) continue;
    Tensor total = Tensor(0.0);
    for (std::size_t i = 0; i < found.size(); ++i)
      total = total +
              sum(found[i] *
                  Tensor(converted(samples::read_tensor(sample.at("cotangents").at(i)), dtype)));
    fetches.push_back(grad(total, x));
    expected.push_back(converted(samples::read_tensor(sample.at("gradient")), dtype));
    labels.push_back(label + " gradient");
  }
  const std::vector<HostTensor> values = session.run(fetches, feeds);
  ASSERT_EQ(values.size(), expected.size());
  ASSERT_GE(values.size(), 28u);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(samples::difference(values[i], expected[i], tolerance), "") << labels[i];
}

TEST(AudioFunctions, AgreeWithPyTorchAndLibrosa) {
  expect_samples("reference", DType::f64, 1e-12);
  expect_samples("cpu", DType::f64, 1e-12);
  expect_samples("cpu", DType::f32, 2e-5);
}

TEST(AudioFunctions, FramesOverlapAndDropTheRest) {
  const Tensor x = numbers({2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(frames(x, 3, 2).shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(doubles(frames(x, 3, 2)), (std::vector<double>{0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9}));
  EXPECT_EQ(doubles(frames(x, 4, 3)), (std::vector<double>{0, 1, 2, 3, 5, 6, 7, 8}));
  EXPECT_EQ(frames(x, 5, INT64_MAX).shape(), (Shape{2, 1, 5}));
}

TEST(AudioFunctions, MisuseIsNamed) {
  const Tensor x = typed(DType::f32, {2, 20});
  EXPECT_EQ(error_of([&] { frames(x, 21, 1); }),
            "frames: 20 samples are too few for a frame of 21");
  EXPECT_EQ(error_of([&] { frames(x, 0, 1); }),
            "frames: expected [..., samples], a length and a hop above 0, got f32[2,20], 0 and 1");
  EXPECT_EQ(error_of([&] { stft(typed(DType::i32, {20}), {.fft = 8, .hop = 2, .window = 8}); }),
            "stft: expected a float [..., samples], got i32[20]");
  EXPECT_EQ(
      error_of([&] { stft(x, {.fft = 8, .hop = 2, .window = 9}); }),
      "stft: an fft of 8 samples, a window of 9 and a hop of 2; expected 1 <= window <= fft <= "
      "65536 and a hop of at least 1");
  EXPECT_EQ(error_of([&] {
              stft(x, {.fft = 40, .hop = 2, .window = 40, .padding = StftPadding::reflect});
            }),
            "stft: 20 samples are too few to mirror 20 at either end; use zeros");
  EXPECT_EQ(
      error_of([&] { mel_filter_bank(9, {.rate = 100, .low = 20, .high = 51}); }),
      "mel_filter_bank: bands from 20 to 51 Hz at 100 samples per second; expected 0 <= low < "
      "high <= half the rate");
  EXPECT_EQ(error_of([&] { mel_filter_bank(1); }),
            "mel_filter_bank: expected 2 to 32769 frequencies, 1 to 65536 bands and a float type, "
            "got 1, 80 and f32");
  EXPECT_EQ(error_of([&] { log_mel(x, {}, {}, 0); }), "log_mel: a floor of 0; it must be above 0");
  EXPECT_EQ(error_of([&] { log_mel(x, {.fft = 9, .window = 9}); }),
            "log_mel: an fft of 9 samples; an even number expected");
  EXPECT_EQ(error_of([&] { hann_window(0); }),
            "hann_window: expected a length above 0 and a float type, got 0 and f32");
}

}  // namespace
}  // namespace tenon

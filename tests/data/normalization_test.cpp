#include "tenon/data/normalization.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "data_testing.h"

namespace tenon::data {
namespace {

Dataset table(const std::vector<float>& values, std::int64_t features) {
  return {"table",
          make_tensor<float>({static_cast<std::int64_t>(values.size()) / features, features},
                             std::span<const float>(values))};
}

TEST(Normalization, BytesUseTheirWholeRange) {
  const Dataset images("images", make_tensor<std::uint8_t>({1, 2, 2}, {0, 51, 102, 255}));
  const Normalization unit = Normalization::fit(images, NormalizationKind::zero_to_one);
  EXPECT_EQ(unit.scale, make_scalar(1.0f / 255));
  EXPECT_EQ(unit.apply(images.x().view()),
            make_tensor<float>({1, 2, 2}, {0, 51 * (1.0f / 255), 102 * (1.0f / 255), 1}));
  const Normalization centred = Normalization::fit(images, NormalizationKind::minus_one_to_one);
  EXPECT_EQ(centred.scale, make_scalar(2.0f / 255));
  EXPECT_EQ(centred.offset, make_scalar(-1.0f));
  // An empty dataset of bytes needs no samples.
  Normalization::fit(images.take(0), NormalizationKind::zero_to_one);
}

TEST(Normalization, OtherTypesUseEachFeaturesRange) {
  const Dataset data = table({0, 7, 10, 7, 5, 7}, 2);
  const Normalization unit = Normalization::fit(data, NormalizationKind::zero_to_one);
  EXPECT_EQ(unit.apply(data.x().view()), make_tensor<float>({3, 2}, {0, 0, 1, 0, 0.5f, 0}));
  const Normalization centred = Normalization::fit(data, NormalizationKind::minus_one_to_one);
  EXPECT_EQ(centred.apply(data.x().view()), make_tensor<float>({3, 2}, {-1, -1, 1, -1, 0, -1}));
}

TEST(Normalization, StandardGivesMeanZeroAndDeviationOne) {
  const Dataset data = table({1, 5, 3, 5, 5, 5, 7, 5}, 2);
  const Normalization standard = Normalization::fit(data, NormalizationKind::standard);
  const float unit = static_cast<float>(1 / std::sqrt(5.0));  // population deviation of 1, 3, 5, 7
  EXPECT_EQ(standard.scale, make_tensor<float>({2}, {unit, 1}));
  const HostTensor out = standard.apply(data.x().view());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < 8; i += 2) {
    sum += out.as<float>()[i];
    squares += static_cast<double>(out.as<float>()[i]) * out.as<float>()[i];
    EXPECT_EQ(out.as<float>()[i + 1], 0);  // the constant feature
  }
  EXPECT_NEAR(sum, 0, 1e-6);
  EXPECT_NEAR(squares / 4, 1, 1e-6);
}

TEST(Normalization, ChannelsAreStatisticsOfTheLastAxis) {
  // numpy: x.mean((0, 1, 2)), 1 / x.std((0, 1, 2)) of
  // x = (numpy.arange(24).reshape(2, 2, 2, 3) * [1, 10, 100]) % 251
  HostTensor x({DType::u8, {2, 2, 2, 3}});
  for (std::int64_t i = 0; i < 24; ++i)
    x.as<std::uint8_t>()[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(
        i * std::array{1, 10, 100}[static_cast<std::size_t>(i % 3)] % 251);
  const Dataset images("images", std::move(x));
  const Normalization channels = Normalization::fit(images, NormalizationKind::channels);
  const std::array<double, 3> means = {10.5, 115.0, 151.875},
                              scales = {0.14547859349066158, 0.014547859349066158,
                                        0.012871271455227158};
  ASSERT_EQ(channels.scale.shape(), Shape{3});
  const HostTensor out = channels.apply(images.x().view());
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(channels.scale.as<float>()[c], scales[c], 1e-7);
    EXPECT_NEAR(channels.offset.as<float>()[c], -means[c] * scales[c], 1e-6);
    EXPECT_NEAR(
        out.as<float>()[21 + c],
        (element_as_double(images.x().tensor(), static_cast<std::int64_t>(21 + c)) - means[c]) *
            scales[c],
        1e-6);
  }
  EXPECT_TRUE(channels.fits({5, 7, 3}));
  EXPECT_FALSE(channels.fits({2, 2, 1}));
  EXPECT_EQ(error_of([&] {
              channels.apply(HostTensor({DType::u8, {4, 2, 2, 1}}));
            }),
            "normalization: channels [3] expected, found u8[4,2,2,1]");
  // Gray images have one.
  const Normalization gray = Normalization::fit(
      {"gray", make_tensor<std::uint8_t>({2, 1, 2}, {1, 3, 5, 7})}, NormalizationKind::channels);
  EXPECT_EQ(gray.scale, make_scalar(static_cast<float>(1 / std::sqrt(5.0))));
}

TEST(Normalization, ChannelsOfAPublishedModel) {
  const std::array<double, 2> means = {10, 20}, deviations = {2, 4};
  const Normalization known = Normalization::of_channels(means, deviations);
  EXPECT_EQ(known.apply(make_tensor<std::uint8_t>({1, 1, 2, 2}, {12, 20, 8, 28})),
            make_tensor<float>({1, 1, 2, 2}, {1, 0, -1, 2}));
  HostTensor memory({DType::f32, {1, 2}});
  known.apply(make_tensor<std::uint8_t>({1, 2}, {14, 24}), HostSpan(memory));
  EXPECT_EQ(memory, make_tensor<float>({1, 2}, {2, 1}));
  EXPECT_EQ(error_of([&] {
              known.apply(make_tensor<std::uint8_t>({2, 2}, {1, 2, 3, 4}), HostSpan(memory));
            }),
            "normalization: u8[2,2] into memory for f32[1,2]");
  EXPECT_EQ(error_of([&] { Normalization::of_channels(means, std::span(deviations).first(1)); }),
            "normalization: 2 means and 1 deviations of channels");
  EXPECT_EQ(error_of([&] {
              Normalization::of_channels(means, std::array{1.0, 0.0});
            }),
            "normalization: channel 1 of mean 20 and deviation 0; finite numbers and a deviation "
            "above 0 expected");
}

TEST(Normalization, LargeOffsetsDoNotSpoilTheDeviation) {
  const Dataset data = table({1e6f, 1e6f + 1, 1e6f, 1e6f + 1}, 1);
  const Normalization standard = Normalization::fit(data, NormalizationKind::standard);
  EXPECT_EQ(standard.scale, make_tensor<float>({1}, {2}));
}

TEST(Normalization, TrainingValuesAreUsedForOtherData) {
  const Normalization unit = Normalization::fit(table({0, 10}, 1), NormalizationKind::zero_to_one);
  EXPECT_EQ(unit.apply(table({20, -10}, 1).x().view()), make_tensor<float>({2, 1}, {2, -1}));
}

TEST(Normalization, NoneOnlyConverts) {
  const Dataset data("numbers", make_tensor<std::int64_t>({2}, {3, -4}));
  const Normalization none = Normalization::fit(data, NormalizationKind::none);
  EXPECT_EQ(none.apply(data.x().view()), make_tensor<float>({2}, {3, -4}));
}

TEST(Normalization, BadDataIsNamed) {
  const auto fit = [](const Dataset& data) {
    Normalization::fit(data, NormalizationKind::standard);
  };
  EXPECT_EQ(error_of([&] {
              fit(table({1, 2, 3, NAN}, 2));
            }),
            "dataset \"table\": sample 1 holds nan in feature 1; only finite numbers can be "
            "normalized");
  EXPECT_EQ(error_of([&] { fit(table({}, 2)); }),
            "dataset \"table\" is empty: there is nothing to normalize by");
  const Normalization standard =
      Normalization::fit(table({1, 2, 3, 4}, 2), NormalizationKind::standard);
  EXPECT_EQ(error_of([&] {
              standard.apply(HostTensor({DType::f32, {4, 3}}));
            }),
            "normalization: samples of shape [2] expected, found f32[4,3]");
  EXPECT_THROW(standard.apply(HostTensor({DType::f32, {}})), UserError);
}

TEST(Normalization, JsonRoundTripsToTheSameBits) {
  const Dataset data = table({0.1f, 1e-7f, 0.7f, 3e8f, 0.3f, -5}, 2);
  for (const NormalizationKind kind : {NormalizationKind::none, NormalizationKind::zero_to_one,
                                       NormalizationKind::minus_one_to_one,
                                       NormalizationKind::standard, NormalizationKind::channels}) {
    const Normalization fitted = Normalization::fit(data, kind);
    const auto json = nlohmann::json::parse(fitted.to_json().dump());
    const Normalization read = Normalization::from_json(json, "run.json");
    EXPECT_EQ(read.kind, kind);
    EXPECT_EQ(read.scale, fitted.scale);
    EXPECT_EQ(read.offset, fitted.offset);
  }
}

TEST(Normalization, BadJsonIsRefused) {
  const auto error = [](const char* text) {
    return error_of([&] { Normalization::from_json(nlohmann::json::parse(text), "run.json"); });
  };
  EXPECT_EQ(error("[]"), "run.json: normalization: an object with \"kind\" expected");
  EXPECT_EQ(
      error(R"({"kind":"log"})"),
      "run.json: normalization \"log\": 0,1 or -1,1 or standard or channels or none expected");
  EXPECT_EQ(error(R"({"kind":"0,1"})"), "run.json: normalization: \"shape\" is missing");
  EXPECT_EQ(error(R"({"kind":"0,1","shape":[2],"scale":[1],"offset":[0]})"),
            "run.json: normalization: the shape [2] does not fit 1 scales");
  EXPECT_EQ(error(R"({"kind":"0,1","shape":[1000000000000],"scale":[1],"offset":[0]})"),
            "run.json: normalization: the shape [1000000000000] does not fit 1 scales");
  EXPECT_EQ(error(R"({"kind":"0,1","shape":[-1],"scale":[1],"offset":[0]})"),
            "run.json: normalization: the shape [-1] does not fit 1 scales");
  EXPECT_EQ(error(R"({"kind":"0,1","shape":[1],"scale":[1],"offset":[0,0]})"),
            "run.json: normalization: \"offset\" must be a list of 1 numbers");
  EXPECT_EQ(error(R"({"kind":"0,1","shape":[1],"scale":[1e99],"offset":[0]})"),
            "run.json: normalization: \"scale\" entry 0 is 1e+99, not a finite f32");
  EXPECT_EQ(error(R"({"kind":"0,1","shape":[1],"scale":["x"],"offset":[0]})"),
            "run.json: normalization: \"scale\" entry 0 is \"x\", not a finite f32");
}

TEST(Normalization, KindsHaveTheNamesOfTheCommandLine) {
  EXPECT_EQ(parse_normalization_kind("-1,1"), NormalizationKind::minus_one_to_one);
  EXPECT_EQ(name(NormalizationKind::standard), "standard");
  EXPECT_EQ(error_of([] { parse_normalization_kind("z"); }),
            "normalization \"z\": 0,1 or -1,1 or standard or channels or none expected");
}

}  // namespace
}  // namespace tenon::data

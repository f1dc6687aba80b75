// Every change with given parameters against torchvision, PyTorch and NumPy
// (tests/data/make_augment_samples.py), on both backends.
#include "../data/sample_reading.h"
#include "augment_testing.h"
#include "tenon/augment/color.h"
#include "tenon/augment/geometry.h"
#include "tenon/augment/mixing.h"
#include "tenon/augment/patches.h"

namespace tenon::augment {
namespace {

using nlohmann::json;

// A list as f32[B], a number as f32[].
Tensor parameter(const json& record, const char* name) {
  const json& value = record.at(name);
  if (!value.is_array()) return Tensor(make_scalar(value.get<float>()));
  const auto numbers = value.get<std::vector<float>>();
  return Tensor(make_tensor<float>({static_cast<std::int64_t>(numbers.size())}, numbers));
}

Border border_of(const std::string& name) {
  if (name == "fill") return Border::fill;
  check(name == "edge" || name == "reflect", "border {}", name);
  return name == "edge" ? Border::edge : Border::reflect;
}

AffineMap map_of(const json& record, const std::string& change, const Shape& from,
                 const Shape& to) {
  const auto of = [&](const char* name) { return parameter(record, name); };
  if (change == "rotate") return rotation_map(of("radians"), from[1], from[2]);
  if (change == "zoom") return zoom_map(of("factor"), from[1], from[2]);
  if (change == "shear") return shear_map(of("tangent"), from[1], from[2]);
  if (change == "flip") return flip_map(of("flipped"), from[2]);
  if (change == "flip_vertical") return flip_vertical_map(of("flipped"), from[1]);
  if (change == "translate" || change == "crop") return translation_map(of("down"), of("right"));
  if (change == "resized_crop")
    return box_map({of("top"), of("left"), of("height"), of("width")}, to[1], to[2]);
  check(change == "combined", "change {}", change);
  const AffineMap flipped = flip_map(of("flipped"), from[2]);
  return composed(composed(flipped, rotation_map(of("radians"), from[1], from[2])),
                  zoom_map(of("factor"), from[1], from[2]));
}

// The change's result; targets of mixtures.
Augmented computed(const json& record, const Tensor& images) {
  const auto change = record.at("change").get<std::string>();
  const auto of = [&](const char* name) { return parameter(record, name); };
  if (record.contains("black")) {
    const PixelRange range{record.at("black").get<double>(), 1};
    if (change == "brightness") return {with_brightness(images, of("factor"), range), {}};
    if (change == "contrast") return {with_contrast(images, of("factor"), range), {}};
    if (change == "saturation") return {with_saturation(images, of("factor"), range), {}};
    check(change == "hue", "change {}", change);
    return {with_hue(images, of("factor"), range), {}};
  }
  if (change == "blur")
    return {with_blur(images, of("deviation"), record.at("size").get<std::int64_t>()), {}};
  if (change == "cutout")
    return {with_square(images, of("row"), of("column"), record.at("size").get<std::int64_t>(),
                        record.at("fill").get<double>()),
            {}};
  if (record.contains("targets")) {
    const Tensor targets(samples::read_tensor(record.at("targets")));
    if (change == "mixup") return mixed_up(images, targets, of("share"));
    return cut_and_mixed(images, targets, of("share"), of("row"), of("column"));
  }
  const Shape to = record.at("output").at("shape").get<Shape>();
  Sampling sampling{to[1], to[2], Border::edge, 0};
  sampling.is_whole_pixels = record.contains("whole");
  if (record.contains("border")) {
    sampling.border = border_of(record.at("border").get<std::string>());
    sampling.fill = record.at("fill").get<double>();
  }
  return {sampled(images, map_of(record, change, images.shape(), to), sampling), {}};
}

TEST(AugmentSamples, AgreeOnBothBackends) {
  const json file = samples::read_samples("augment_samples.json");
  ASSERT_GT(file.at("changes").size(), 28u);
  for (const char* device : {"reference", "cpu"}) {
    Session session(device, {.threads = 1});
    for (const json& record : file.at("changes")) {
      const HostTensor images = samples::read_tensor(record.at("images"));
      const Tensor x = placeholder("x", images.type());
      const Augmented found = computed(record, x);
      std::vector<Tensor> fetches{found.images};
      if (!found.targets.is_empty()) fetches.push_back(found.targets);
      const std::vector<Feed> feeds{{x, images}};
      const std::vector<HostTensor> values = session.run(fetches, feeds);
      const std::string what = std::string(device) + " " + record.at("change").get<std::string>();
      // Places and factors are f32.
      EXPECT_EQ(samples::difference(values[0], samples::read_tensor(record.at("output")), 1e-5), "")
          << what;
      if (values.size() < 2) continue;
      EXPECT_EQ(
          samples::difference(values[1], samples::read_tensor(record.at("mixed_targets")), 1e-6),
          "")
          << what;
    }
  }
}

// Four standard errors of a part of 4000.
TEST(AugmentSamples, SharesFollowTheBetaDistribution) {
  const json file = samples::read_samples("augment_samples.json");
  constexpr std::uint32_t kCount = 4000;
  for (const json& beta : file.at("betas")) {
    const Tensor key = placeholder("key", {DType::u32, {2}});
    Session session("cpu", {.threads = 1});
    CompiledStep step =
        session.compile(std::array{key}, {{beta_share(key, beta.at("alpha").get<double>())}, {}});
    std::vector<double> shares;
    for (std::uint32_t i = 0; i < kCount; ++i) {
      const HostTensor value = make_tensor<std::uint32_t>({2}, {7, i});
      shares.push_back(element_as_double(step.run(std::array{HostView(value)})[0], 0));
    }
    for (std::size_t i = 0; i < beta.at("places").size(); ++i) {
      const auto place = beta["places"][i].get<double>();
      const auto expected = beta.at("probabilities")[i].get<double>();
      const auto below = std::ranges::count_if(shares, [&](double s) { return s <= place; });
      EXPECT_NEAR(static_cast<double>(below) / kCount, expected,
                  4 * std::sqrt(expected * (1 - expected) / kCount) + 1e-9)
          << beta.at("alpha") << " at " << place;
    }
  }
}

}  // namespace
}  // namespace tenon::augment

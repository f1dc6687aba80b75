// Augmentations as a whole: repetition, identity, distributions, mixtures, unusual types.
#include <algorithm>
#include <cmath>

#include "augment_testing.h"
#include "tenon/augment/sample_random.h"
#include "tenon/base/scalar_convert.h"

namespace tenon::augment {
namespace {

// Everything that changes single samples, with parts that are not drawn.
Augmentation everything() {
  return Augmentation{Flip{},
                      Crop{.padding = 2},
                      Rotate{.probability = 0.7},
                      Zoom{.border = Border::reflect},
                      Shear{.border = Border::reflect},
                      Translate{.border = Border::edge, .probability = 0.5},
                      ResizedCrop{.height = 9, .width = 8},
                      FlipVertical{.probability = 0.3},
                      Brightness{},
                      Contrast{.probability = 0.5},
                      Saturation{},
                      Hue{},
                      Blur{.probability = 0.5},
                      Noise{},
                      Cutout{.size = 3, .probability = 0.6}};
}

TEST(Augment, KeysAreThoseOfFoldIn) {
  const Tensor epoch = random::fold_in(random::key(0x123456789abcull), 7);
  const HostTensor keys = sample_keys(epoch, indices_of({0, 5, 2147483647})).value();
  for (const std::int32_t row : {0, 1, 2}) {
    const std::uint32_t index = std::array<std::uint32_t, 3>{0, 5, 2147483647}[row];
    const HostTensor expected = random::fold_in(epoch, index).value();
    const auto host = sample_key(0x123456789abcull, 7, index);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(keys.as<std::uint32_t>()[2 * row + i], expected.as<std::uint32_t>()[i]);
      EXPECT_EQ(host[i], expected.as<std::uint32_t>()[i]);
    }
  }
}

TEST(Augment, NumbersAreThoseOfEachKey) {
  const Tensor keys = keys_of(3);
  const HostTensor bits = bits_of_each(keys, 11).value();
  const HostTensor units = uniform_of_each(keys, 11).value();
  for (std::int64_t i = 0; i < 3; ++i) {
    const Tensor key = index(keys, i);
    EXPECT_EQ(index(Tensor(bits), i).value(), random::bits(key, {11}).value());
    EXPECT_EQ(index(Tensor(units), i).value(), random::uniform(key, {11}).value());
  }
  const HostTensor normal = normal_of_each(keys, 20000).value();
  double sum = 0, squares = 0;
  for (const float value : normal.as<float>()) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 60000, 0, 4 / std::sqrt(60000.0));
  EXPECT_NEAR(squares / 60000, 1, 4 * std::sqrt(2 / 60000.0));
}

TEST(Augment, SamplesRepeatWhateverTheirBatch) {
  const HostTensor images = some_images({5, 8, 10, 3});
  const Tensor epoch = random::fold_in(random::key(4), 2);
  for (const char* device : {"reference", "cpu"}) {
    Session session(device, {.threads = 2});
    const auto augmented = [&](std::initializer_list<std::int32_t> list) {
      const Tensor chosen = indices_of(list);
      return session.run(
          apply(everything(), take(Tensor(images), chosen), sample_keys(epoch, chosen)));
    };
    const Tensor all(augmented({0, 1, 2, 3, 4}));
    EXPECT_EQ(all.shape(), (Shape{5, 9, 8, 3}));
    EXPECT_EQ(augmented({0, 1, 2, 3, 4}), all.value());
    EXPECT_EQ(augmented({3}), slice(all, 0, 3, 4).value()) << device;
    EXPECT_EQ(augmented({4, 0, 2}), take(all, indices_of({4, 0, 2})).value()) << device;
    // Another epoch and another seed change every sample.
    for (const Tensor& other :
         {random::fold_in(random::key(4), 3), random::fold_in(random::key(5), 2)}) {
      const Tensor changed = apply(everything(), Tensor(images), sample_keys(other, iota({5}, 0)));
      const HostTensor same = all_of_rows_equal(changed, all).value();
      for (const bool equal : same.as<bool>()) EXPECT_FALSE(equal);
    }
  }
}

TEST(Augment, BackendsAgree) {
  const HostTensor images = some_images({6, 8, 10, 3});
  const Tensor changed = apply(everything(), Tensor(images), keys_of(6));
  const HostTensor judge = run_on("reference", changed), found = run_on("cpu", changed);
  for (std::int64_t i = 0; i < judge.size(); ++i)
    ASSERT_NEAR(element_as_double(found, i), element_as_double(judge, i), 2e-5) << i;
}

TEST(Augment, ProbabilityZeroChangesNoBit) {
  HostTensor images = some_images({3, 8, 10, 3});
  images.as<float>()[0] = -0.0f;
  images.as<float>()[1] = 77.5f;  // beyond the range: nothing is clipped either
  images.as<float>()[2] = NAN;
  Augmentation none = everything();
  none.changes.erase(none.changes.begin() + 6);  // gives another size
  for (Change& change : none.changes) std::visit([](auto& each) { each.probability = 0; }, change);
  none.changes.emplace_back(Mixup{.probability = 0});
  none.changes.emplace_back(CutMix{.probability = 0});
  for (const char* device : {"reference", "cpu"}) {
    const Augmented found =
        apply(none, Tensor(images), Tensor(some_images({3, 4})), keys_of(3), random::key(1));
    EXPECT_EQ(run_on(device, found.images), images);
    EXPECT_EQ(run_on(device, found.targets), some_images({3, 4}));
  }
  EXPECT_EQ(apply({}, Tensor(images), keys_of(3)).value(), images);
}

TEST(Augment, SamplesThatAreNotDrawnStay) {
  const HostTensor images = some_images({64, 6, 6, 3});
  for (const Change& change :
       {Change(Rotate{.probability = 0.4}), Change(Crop{.probability = 0.4}),
        Change(ResizedCrop{.probability = 0.4}), Change(Zoom{.probability = 0.4}),
        Change(Shear{.probability = 0.4}), Change(Translate{.probability = 0.4}),
        Change(Brightness{.probability = 0.4}), Change(Contrast{.probability = 0.4}),
        Change(Saturation{.probability = 0.4}), Change(Hue{.probability = 0.4}),
        Change(Noise{.probability = 0.4}), Change(Blur{.probability = 0.4}),
        Change(Cutout{.probability = 0.4}), Change(Flip{.probability = 0.4}),
        Change(FlipVertical{.probability = 0.4})}) {
    const Tensor changed = apply({change}, Tensor(images), keys_of(64, 9));
    const HostTensor same = all_of_rows_equal(changed, Tensor(images)).value();
    const auto count = std::ranges::count(same.as<bool>(), true);
    EXPECT_NEAR(static_cast<double>(count), 64 * 0.6, 16) << kind_of(change);
  }
}

TEST(Augment, LaterChangesDoNotDependOnTheProbabilityOfEarlierOnes) {
  const Tensor images(some_images({4, 6, 6, 3}));
  const Tensor with = apply({Noise{.probability = 0}, Flip{}, Brightness{}}, images, keys_of(4));
  const Tensor without =
      apply({Noise{.probability = 1e-9}, Flip{}, Brightness{}}, images, keys_of(4));
  EXPECT_EQ(with.value(), without.value());
}

// Means and bounds of what the changes draw, seen through images that show it.
TEST(Augment, DrawnNumbersFillTheirRanges) {
  constexpr std::int64_t kCount = 4000;
  const auto statistics = [](const Tensor& values) {
    const HostTensor host = run_on("cpu", values);
    double sum = 0, low = 1e9, high = -1e9;
    for (const float value : host.as<float>()) {
      sum += value;
      low = std::min<double>(low, value);
      high = std::max<double>(high, value);
    }
    return std::array{sum / static_cast<double>(host.size()), low, high};
  };
  const Tensor keys = keys_of(kCount, 21);
  // Brightness of gray 1 in a wide range is its factor.
  const auto [factor, least, most] = statistics(
      apply({Brightness{.amount = 0.3}}, ones({kCount, 1, 1, 1}), keys, {.black = 0, .white = 10}));
  EXPECT_NEAR(factor, 1, 4 * 0.6 / std::sqrt(12.0 * kCount));
  EXPECT_GE(least, 0.7f);
  EXPECT_LT(least, 0.701);
  EXPECT_LE(most, 1.3f);
  EXPECT_GT(most, 1.299);
  // A ramp moved to the right by d shows -d at x = 4.
  const Tensor ramp = broadcast_to(reshape(arange(-4, 5), {1, 1, 9, 1}), {kCount, 1, 9, 1});
  const auto middle = [](const Tensor& x) { return index(reshape(x, {kCount, 9}), 4, 1); };
  const auto [moved, left, right] = statistics(middle(
      apply({Translate{.height = 0, .width = 1.0 / 3}}, ramp, keys, {.black = -10, .white = 10})));
  EXPECT_NEAR(moved, 0, 4 * 6 / std::sqrt(12.0 * kCount));
  EXPECT_GE(left, -3);
  EXPECT_LT(left, -2.99);
  EXPECT_LE(right, 3);
  EXPECT_GT(right, 2.99);
  // Crops move by whole pixels, each way equally often.
  const HostTensor shifts =
      run_on("cpu", middle(apply({Crop{.padding = 2, .border = Border::edge}}, ramp, keys)));
  for (const float shift : {-2.0f, -1.0f, 0.0f, 1.0f, 2.0f})
    EXPECT_NEAR(static_cast<double>(std::ranges::count(shifts.as<float>(), shift)) / kCount, 0.2,
                4 * 0.4 / std::sqrt(1.0 * kCount));
  // Angles, by their sine.
  const Tensor slope =
      broadcast_to(reshape(arange(-4, 5), {1, 9, 1, 1}), {kCount, 9, 9, 1}) * (1.0f / 3);
  const Tensor turned = apply({Rotate{.degrees = 40}}, slope, keys, {.black = -2, .white = 2});
  // At (x, y) = (3, 0) of the centre it reads y' / 3 = sin(angle).
  const auto [sine, lowest, highest] =
      statistics(index(reshape(turned, {kCount, 81}), 4 * 9 + 7, 1));
  const double limit = std::sin(40 * M_PI / 180);
  EXPECT_NEAR(sine, 0, 4 * limit / std::sqrt(3.0 * kCount));
  EXPECT_NEAR(lowest, -limit, 0.01);
  EXPECT_NEAR(highest, limit, 0.01);
  // Cutouts lie everywhere: each pixel of 3 x 3 is gone in the same part of the samples.
  const HostTensor kept =
      run_on("cpu", mean(apply({Cutout{.size = 1}}, ones({kCount, 3, 3, 1}), keys), {0, 3}));
  for (const float part : kept.as<float>())
    EXPECT_NEAR(part, 8.0 / 9, 4 * std::sqrt(8.0 / 81 / kCount));
  const auto [flipped, no, yes] =
      statistics(index(reshape(apply({Flip{.probability = 0.3}}, ramp, keys), {kCount, 9}), 0, 1));
  EXPECT_NEAR(flipped, -4 + 8 * 0.3, 4 * 8 * std::sqrt(0.21 / kCount));
  EXPECT_EQ(no, -4);
  EXPECT_EQ(yes, 4);
}

// The rectangles of torchvision's RandomResizedCrop.get_params, from the same words.
TEST(Augment, ResizedCropsFollowTheirRule) {
  constexpr std::int64_t kHeight = 12, kWidth = 30, kCount = 600;
  // Pixels that hold x (channel 0) and y (1): resized to one pixel, the box's centre.
  const Tensor x = broadcast_to(iota({1, 1, kWidth, 1}, 2, DType::f32), {1, kHeight, kWidth, 1});
  const Tensor y = broadcast_to(iota({1, kHeight, 1, 1}, 1, DType::f32), {1, kHeight, kWidth, 1});
  const Tensor images =
      broadcast_to(concatenate(std::array{x, y}, 3), {kCount, kHeight, kWidth, 2});
  const ResizedCrop crop{.height = 1, .width = 1, .least_area = 0.3, .most_ratio = 1.2};
  const HostTensor centres = run_on("cpu", apply({crop}, images, keys_of(kCount, 33)));
  const HostTensor words = uniform_of_each(keys_of(kCount, 33), 23).value();
  int fallbacks = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const float* word = words.as<float>().data() + 23 * i;
    double height = 0, width = 0;
    bool fits = false;
    for (int k = 0; k < 10 && !fits; ++k) {
      const double area = kHeight * kWidth * (0.3 + 0.7 * word[1 + k]);
      const double ratio =
          std::exp(std::log(0.75) + (std::log(1.2) - std::log(0.75)) * word[11 + k]);
      width = std::nearbyint(std::sqrt(area * ratio));
      height = std::nearbyint(std::sqrt(area / ratio));
      fits = width >= 1 && width <= kWidth && height >= 1 && height <= kHeight;
    }
    double top = std::floor(word[21] * (kHeight - height + 1));
    double left = std::floor(word[22] * (kWidth - width + 1));
    if (!fits) {
      ++fallbacks;
      height = kHeight;
      width = std::nearbyint(kHeight * 1.2);
      top = 0;
      left = std::floor((kWidth - width) / 2);
    }
    EXPECT_NEAR(centres.as<float>()[2 * i], left + width / 2 - 0.5, 1e-4) << i;
    EXPECT_NEAR(centres.as<float>()[2 * i + 1], top + height / 2 - 0.5, 1e-4) << i;
  }
  EXPECT_GT(fallbacks, 5);
  EXPECT_LT(fallbacks, 500);
}

TEST(Augment, MixturesDependOnTheBatchsKey) {
  const Tensor images(some_images({4, 6, 6, 3})), targets = eye(4);
  for (const Change& change : {Change(Mixup{.alpha = 1}), Change(CutMix{})}) {
    const auto mixed = [&](std::uint64_t seed) {
      return apply({Flip{}, change}, images, targets, keys_of(4), random::key(seed));
    };
    const Augmented first = mixed(1);
    EXPECT_EQ(first.images.value(), mixed(1).images.value());
    EXPECT_FALSE(first.images.value() == mixed(2).images.value()) << kind_of(change);
    const HostTensor totals = sum(first.targets, {1}).value();
    for (const float total : totals.as<float>()) EXPECT_NEAR(total, 1, 1e-6);
    // Drawn or not, for the whole batch.
    Change half = change;
    std::visit([](auto& each) { each.probability = 0.5; }, half);
    int kept = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed)
      kept += apply({half}, images, targets, keys_of(4), random::key(seed)).targets.value() ==
              targets.value();
    EXPECT_GT(kept, 8);
    EXPECT_LT(kept, 32);
  }
}

TEST(Augment, BytesBecomeFloatsOfTheSameRange) {
  const HostTensor bytes = converted((Tensor(some_images({3, 8, 10, 3})) * 256).value(), DType::u8);
  EXPECT_EQ(apply({}, Tensor(bytes), keys_of(3)).value(), converted(bytes, DType::f32));
  const Augmentation some{Flip{}, Rotate{.fill = 1}, Brightness{}, Contrast{}, Cutout{.fill = 0.5}};
  const Tensor found = apply(some, Tensor(bytes), keys_of(3));
  const Tensor expected = apply(some, cast(Tensor(bytes), DType::f32) / 255, keys_of(3)) * 255;
  EXPECT_EQ(found.dtype(), DType::f32);
  EXPECT_LT(max(abs(found - expected)).value().as<float>()[0], 1e-3);
}

TEST(Augment, TypesAndGrayImages) {
  const Tensor images(some_images({3, 8, 10}));
  const Tensor gray = apply(everything(), images, keys_of(3));
  EXPECT_EQ(gray.shape(), (Shape{3, 9, 8}));
  EXPECT_EQ(gray.value(),
            squeeze(apply(everything(), expand_dims(images, 3), keys_of(3)), {3}).value());
  for (const DType dtype : {DType::f64, DType::f16, DType::bf16}) {
    const Tensor other = apply(everything(), cast(images, dtype), keys_of(3));
    EXPECT_EQ(other.dtype(), dtype);
    EXPECT_LT(max(abs(cast(other, DType::f32) - gray)).value().as<float>()[0],
              dtype == DType::f64 ? 1e-4 : 0.1);
  }
}

}  // namespace
}  // namespace tenon::augment

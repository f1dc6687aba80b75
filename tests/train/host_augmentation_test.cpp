// Samples augmented by workers are the rows of the batch that a step computes.
#include "tenon/train/host_augmentation.h"

#include "tenon/data/pipeline_batches.h"
#include "tenon/tensor/functions.h"
#include "train_testing.h"

namespace tenon {
namespace {

data::Dataset pictures(std::int64_t count, const Shape& shape, DType dtype) {
  Shape all = shape;
  all.insert(all.begin(), count);
  HostTensor x(TensorType{dtype, all});
  with_element_type(dtype, [&]<class T>(TypeTag<T>) {
    std::uint32_t state = 12345;
    for (T& value : x.as<T>()) {
      state = state * 1664525u + 1013904223u;
      if constexpr (std::is_same_v<T, std::uint8_t>) value = static_cast<T>(state >> 24);
      if constexpr (std::is_same_v<T, float>) value = static_cast<float>(state >> 8) * 0x1p-24f;
    }
  });
  HostTensor y({DType::i32, {count}});
  for (std::int64_t i = 0; i < count; ++i)
    y.as<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i);
  return {"pictures", std::move(x), data::Array(std::move(y))};
}

const char* const kEverything =
    "flip,crop:padding=2,rotate,zoom:border=reflect,shear:border=reflect,translate:border=edge,"
    "resized_crop:height=9:width=8,flip_vertical,brightness,contrast:probability=0.5,saturation,"
    "hue,"
    "blur,noise,cutout:size=3";

// The batch that a step on this device computes for samples 0 to count - 1 of an epoch.
HostTensor device_batch(const std::string& device, const data::Dataset& dataset, std::uint64_t seed,
                        std::uint32_t epoch, const HostAugmentationOptions& options) {
  Session session(device, {.threads = 2});
  const Tensor keys =
      augment::sample_keys(random::fold_in(random::key(seed), epoch), iota({dataset.size()}, 0));
  Tensor x(dataset.x().tensor());
  if (options.normalization.kind != data::NormalizationKind::none)
    x = cast(x, DType::f32) * constant(options.normalization.scale) +
        constant(options.normalization.offset);
  return session.run(augment::apply(augment::parse(kEverything), x, keys, options.range));
}

struct HostCase {
  Shape shape;
  DType dtype;
  data::NormalizationKind normalization;
  augment::PixelRange range;
};

TEST(HostAugmentation, GivesTheBitsOfTheDevice) {
  for (const HostCase& c :
       {HostCase{{8, 10, 3}, DType::f32, data::NormalizationKind::none, {}},
        HostCase{{8, 10, 3}, DType::u8, data::NormalizationKind::minus_one_to_one, {-1, 1}},
        HostCase{{11, 9}, DType::u8, data::NormalizationKind::none, {}}}) {
    const data::Dataset dataset = pictures(13, c.shape, c.dtype);
    HostAugmentationOptions options;
    options.normalization = data::Normalization::fit(dataset, c.normalization);
    options.range = c.range;
    const HostTensor expected = device_batch("cpu", dataset, 5, 3, options);
    const data::Pipeline pipeline = data::Pipeline::from(dataset).map(
        host_augmentation(augment::parse(kEverything), {c.dtype, c.shape}, 5, options));
    for (const int workers : {0, 3}) {
      data::PipelineBatches batches =
          pipeline.batches(13, {.workers = workers, .ahead = 4, .epoch = 3});
      const data::Batch* batch = batches.next();
      ASSERT_NE(batch, nullptr);
      EXPECT_EQ(batch->x, expected) << workers << " workers";
      EXPECT_EQ(batch->y, dataset.y().tensor());
    }
    const HostTensor judge = device_batch("reference", dataset, 5, 3, options);
    const double unit = c.dtype == DType::u8 && c.range.black == 0 ? 255 : 1;
    for (std::int64_t i = 0; i < judge.size(); ++i)
      ASSERT_NEAR(element_as_double(expected, i), element_as_double(judge, i), 4e-5 * unit) << i;
  }
}

TEST(HostAugmentation, SaysWhatDoesNotFit) {
  const TensorType type{DType::f32, {8, 10, 3}};
  EXPECT_EQ(error_of([&] { host_augmentation(augment::parse("mixup"), type, 1); }),
            "augmentation: mixup mixes the samples of a batch, and so needs their targets");
  EXPECT_EQ(error_of([&] {
              host_augmentation(augment::parse("flip"), {DType::f32, {8}}, 1);
            }),
            "augmentation: images must be [batch, height, width, channels] or [batch, height, "
            "width], got f32[1,8] from \"image\"");
  const SampleFunction flip = host_augmentation(augment::parse("flip"), type, 1);
  EXPECT_EQ(error_of([&] {
              flip({HostTensor({DType::f32, {8, 9, 3}}), make_scalar(0)}, {});
            }),
            "augmentation: a sample is f32[8,9,3], but f32[8,10,3] was said; resize images to one "
            "size first");
}

}  // namespace
}  // namespace tenon

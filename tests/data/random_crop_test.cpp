#include "tenon/data/random_crop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "data_testing.h"
#include "sample_reading.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/resize.h"
#include "tenon/io/file.h"
#include "tenon/io/image.h"
#include "tenon/io/png.h"

namespace tenon::data {
namespace {

HostTensor mirrored_by_hand(const HostTensor& image) {
  HostTensor out(image.type());
  const std::int64_t width = image.shape()[1], channels = image.shape()[2];
  for (std::int64_t i = 0; i < image.size(); ++i) {
    const std::int64_t x = i / channels % width;
    out.bytes()[static_cast<std::size_t>(i + (width - 1 - 2 * x) * channels)] =
        image.bytes()[static_cast<std::size_t>(i)];
  }
  return out;
}

TEST(ResizedAntialiased, AgreesWithPyTorchAndPillow) {
  const nlohmann::json records = samples::read_samples("resize_samples.json");
  ASSERT_EQ(records.size(), 16u);
  for (const nlohmann::json& record : records) {
    const HostTensor image = samples::read_tensor(record.at("image"));
    const auto box = record.at("box").get<std::vector<double>>();
    const Shape shape = record.at("shape").get<Shape>();
    const HostTensor found =
        resized_antialiased(image, {box[0], box[1], box[2], box[3]}, shape[0], shape[1]);
    ASSERT_EQ(found.shape(), shape);
    for (std::size_t i = 0; i < found.bytes().size(); ++i)
      ASSERT_NEAR(found.as<std::uint8_t>()[i], record.at("output")[i].get<double>(),
                  record.at("tolerance").get<double>())
          << fmt::format("{}", image.type()) << " element " << i;
    EXPECT_EQ(
        resized_antialiased(image, {box[0], box[1], box[2], box[3]}, shape[0], shape[1], true),
        mirrored_by_hand(found));
  }
}

TEST(ResizedAntialiased, Errors) {
  const HostTensor image({DType::u8, {4, 5, 3}});
  EXPECT_EQ(error_of([&] {
              resized_antialiased(image, {0, 0, 5, 5}, 2, 2);
            }),
            "a box of 5 x 5 pixels at (0, 0) is not inside of an image of 4 x 5");
  for (const ImageBox& box : {ImageBox{-0.5, 0, 2, 2}, ImageBox{0, 0, 0, 2}, ImageBox{0, 0, NAN, 2},
                              ImageBox{0, 4.5, 2, 0.6}, ImageBox{0, 0, 2, HUGE_VAL}})
    EXPECT_THROW(resized_antialiased(image, box, 2, 2), UserError);
  EXPECT_EQ(error_of([&] {
              resized_antialiased(image, {0, 0, 4, 5}, 0, 2);
            }),
            "resizing to 0 x 2 pixels; at least 1 x 1 is needed");
  EXPECT_EQ(error_of([] {
              resized_antialiased(HostTensor({DType::f32, {4, 5, 3}}), {}, 2, 2);
            }),
            "resizing takes u8[height, width, channels] of at least one pixel, not f32[4,5,3]");
}

TEST(RandomResizedCrop, ChoicesKeepTheirBounds) {
  const RandomResizedCrop crop{.least_area = 0.2, .flip_probability = 0.25, .seed = 4};
  constexpr int kCount = 4000;
  double area_sum = 0, top_sum = 0;
  int flips = 0;
  for (int i = 0; i < kCount; ++i) {
    const auto [region, is_flipped] = choose_crop(crop, 600, 800, {2, i});
    const auto height = static_cast<double>(region.height),
               width = static_cast<double>(region.width);
    ASSERT_GE(region.top, 0);
    ASSERT_GE(region.left, 0);
    ASSERT_LE(region.top + region.height, 600);
    ASSERT_LE(region.left + region.width, 800);
    ASSERT_GE(height * width, 0.2 * 480000 - 1200);
    ASSERT_GE(width / height, 0.75 - 0.01);
    ASSERT_LE(width / height, 4.0 / 3 + 0.01);
    area_sum += height * width / 480000;
    if (region.height < 600) top_sum += static_cast<double>(region.top) / (600 - height) - 0.5;
    flips += is_flipped;
  }
  EXPECT_NEAR(top_sum / kCount, 0, 4 * 0.29 / std::sqrt(1.0 * kCount));
  EXPECT_NEAR(flips / double{kCount}, 0.25, 4 * std::sqrt(0.25 * 0.75 / kCount));
  // Large tall ones do not fit: 0.494 by a simulation of the rule with NumPy.
  EXPECT_NEAR(area_sum / kCount, 0.494, 0.012);
  // Nothing but the seed, the epoch and the index decides.
  const auto region = [&](std::uint64_t seed, std::uint64_t epoch, std::int64_t index) {
    return choose_crop({.seed = seed}, 600, 800, {epoch, index}).region;
  };
  EXPECT_EQ(region(1, 2, 3), region(1, 2, 3));
  EXPECT_FALSE(region(1, 2, 3) == region(2, 2, 3));
  EXPECT_FALSE(region(1, 2, 3) == region(1, 3, 3));
  EXPECT_FALSE(region(1, 2, 3) == region(1, 2, 4));
  // Where no ratio fits, the middle is taken.
  EXPECT_EQ(choose_crop({.least_area = 1}, 100, 1000, {}).region,
            (io::ImageRegion{0, 433, 100, 133}));
  EXPECT_EQ(choose_crop({.least_area = 1}, 1000, 90, {}).region,
            (io::ImageRegion{440, 0, 120, 90}));
  choose_crop({}, 1, 1, {});
}

HostTensor photograph(std::int64_t height, std::int64_t width) {
  HostTensor image({DType::u8, {height, width, 3}});
  for (std::int64_t i = 0; i < image.size(); ++i) {
    const std::int64_t c = i % 3, x = i / 3 % width, y = i / 3 / width;
    const double wave = std::sin(static_cast<double>(x) / (9.0 + static_cast<double>(c))) *
                        std::cos(static_cast<double>(y) / 13.0);
    image.as<std::uint8_t>()[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(128 + 100 * wave);
  }
  return image;
}

TEST(RandomResizedCrop, FilesAreDecodedAsFarAsTheyAreNeeded) {
  const io::ByteSource jpeg("photo", io::jpeg_bytes(photograph(120, 150), 95));
  const HostTensor whole = io::read_image(jpeg, 3);
  int flipped = 0;
  for (int i = 0; i < 60; ++i) {
    // No reduction: the bits of the decoded image.
    const RandomResizedCrop large{.height = 64, .width = 80, .seed = 1};
    const SamplePlace place{0, i};
    ASSERT_EQ(read_random_resized_crop(jpeg, 3, large, place),
              random_resized_crop(whole, large, place));
    // A quarter and an eighth: nearly so.
    const RandomResizedCrop small{.height = 9, .width = 8, .least_area = 0.3, .seed = 1};
    const HostTensor found = read_random_resized_crop(jpeg, 3, small, place);
    const HostTensor judge = random_resized_crop(whole, small, place);
    double error = 0;
    for (std::int64_t k = 0; k < found.size(); ++k)
      error += std::abs(element_as_double(found, k) - element_as_double(judge, k));
    ASSERT_LT(error / static_cast<double>(found.size()), 4) << i;
    const CropChoice choice = choose_crop(small, 120, 150, place);
    flipped += choice.is_flipped;
  }
  EXPECT_GT(flipped, 15);
  EXPECT_LT(flipped, 45);
  EXPECT_EQ(error_of([&] { read_random_resized_crop(jpeg, 3, {}, {}, 1000); }),
            "photo: byte 0: an image of 150 x 120 pixels, above the limit of 1000 bytes");
}

TEST(RandomResizedCrop, FoldersGiveTheSameSamplesWhateverTheWorkers) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "cat");
  std::filesystem::create_directory(folder / "dog");
  for (int i = 0; i < 5; ++i)
    io::write_file_atomically(folder / ("cat/" + std::to_string(i) + ".jpg"),
                              io::jpeg_bytes(photograph(40 + i, 50 - i), 90));
  io::write_png(folder / "dog/x.png", photograph(30, 30));
  const ImageFolder images = image_folder(folder.path());
  const RandomResizedCrop crop{.height = 12, .width = 16, .seed = 3};
  std::vector<HostTensor> seen;
  for (const int workers : {0, 3}) {
    PipelineBatches batches =
        random_resized_crops(images, crop).shuffle(1).batches(6, {.workers = workers, .epoch = 4});
    const Batch* batch = batches.next();
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(batch->x.type(), (TensorType{DType::u8, {6, 12, 16, 3}}));
    seen.push_back(batch->x);
    const auto png = std::ranges::find(batch->indices, 5) - batch->indices.begin();
    EXPECT_EQ(batch->y.as<std::int32_t>()[static_cast<std::size_t>(png)], 1);
    const HostTensor expected =
        random_resized_crop(io::read_image(io::ByteSource::open(images.file(5)), 3), crop, {4, 5});
    EXPECT_EQ(0, std::memcmp(expected.bytes().data(),
                             batch->x.bytes().data() +
                                 static_cast<std::size_t>(png) * expected.bytes().size(),
                             expected.bytes().size()));
  }
  EXPECT_EQ(seen[0], seen[1]);
  // A bad file in the middle names itself, its index and the epoch.
  io::write_file_atomically(folder / "cat/3.jpg", std::string_view("\xff\xd8\xff junk"));
  PipelineBatches bad = random_resized_crops(images, crop).batches(6, {.workers = 2, .epoch = 4});
  EXPECT_TRUE(error_of([&] {
                bad.next();
              }).starts_with("sample 3 of epoch 4: " + folder.path() + "/cat/3.jpg: byte "));
  const BadSamples counted;
  PipelineBatches rest =
      random_resized_crops(images, crop).skip_bad(counted).batches(6, {.workers = 2});
  EXPECT_EQ(rest.next()->size(), 5);
  EXPECT_EQ(counted.count(), 1);
}

TEST(RandomResizedCrop, FieldsOutOfRangeAreNamed) {
  const auto error = [](const RandomResizedCrop& crop) {
    return error_of([&] { choose_crop(crop, 10, 10, {}); });
  };
  EXPECT_EQ(error({.height = 0}),
            "random resized crop: 0 x 224 pixels; 1 to 65535 a side expected");
  EXPECT_EQ(error({.least_area = 0.5, .most_area = 0.4}),
            "random resized crop: areas from 0.5 to 0.4; two numbers in 0 to 1 expected");
  EXPECT_EQ(error({.least_ratio = 0}),
            "random resized crop: ratios from 0 to 1.3333333333333333; two numbers in 0.001 to "
            "1000 expected");
  EXPECT_EQ(error({.flip_probability = NAN}),
            "random resized crop: a flip probability of nan; 0 to 1 expected");
  EXPECT_EQ(error_of([] {
              random_resized_crop(HostTensor({DType::f32, {2, 2, 3}}), {}, {});
            }),
            "random resized crop: expected u8[height, width, channels], got f32[2,2,3]");
}

}  // namespace
}  // namespace tenon::data

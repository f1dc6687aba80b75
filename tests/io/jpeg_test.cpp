#include "tenon/io/jpeg.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/image.h"
#include "tenon/io/npy.h"
#include "tenon/io/png.h"

namespace tenon::io {
namespace {

std::string jpeg_sample(const std::string& name) {
  const std::vector<std::byte> bytes =
      ByteSource::open(sample_path(name + ".jpg")).read_all(1 << 20);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string jpeg_error(std::string_view file, const JpegLimits& limits = {}) {
  return error_of([&] { read_jpeg(source_of(file), JpegChannels::as_stored, limits); });
}

// The sample with the sides of its frame header (ITU-T T.81, B.2.2) replaced.
std::string with_sides(std::string file, int height, int width) {
  std::size_t frame = file.find("\xff\xc0");
  if (frame == std::string::npos) frame = file.find("\xff\xc2");
  file[frame + 5] = static_cast<char>(height >> 8);
  file[frame + 6] = static_cast<char>(height);
  file[frame + 7] = static_cast<char>(width >> 8);
  file[frame + 8] = static_cast<char>(width);
  return file;
}

TEST(Jpeg, ReadsWhatPillowReads) {
  for (const char* name : {"rgb", "subsampled", "progressive", "gray"})
    EXPECT_EQ(read_jpeg(source_of(jpeg_sample(name))),
              read_npy(sample_path(std::string("jpeg_") + name + ".npy")))
        << name;
}

TEST(Jpeg, ConvertsBetweenGrayAndColour) {
  const HostTensor gray = read_jpeg(source_of(jpeg_sample("gray")));
  const HostTensor as_rgb = read_jpeg(source_of(jpeg_sample("gray")), JpegChannels::rgb);
  ASSERT_EQ(as_rgb.shape(), (Shape{11, 18, 3}));
  for (std::size_t i = 0; i < as_rgb.bytes().size(); ++i)
    ASSERT_EQ(as_rgb.bytes()[i], gray.bytes()[i / 3]) << i;
  const HostTensor rgb = read_jpeg(source_of(jpeg_sample("rgb")));
  const HostTensor luma = read_jpeg(source_of(jpeg_sample("rgb")), JpegChannels::gray);
  ASSERT_EQ(luma.shape(), (Shape{11, 18, 1}));
  for (std::size_t i = 0; i < luma.bytes().size(); ++i) {
    const auto* pixel = rgb.as<std::uint8_t>().data() + 3 * i;
    EXPECT_NEAR(luma.as<std::uint8_t>()[i], 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2],
                1.5)
        << i;
  }
}

TEST(Jpeg, WrittenImagesAreReadBack) {
  HostTensor image({DType::u8, {16, 24, 3}});
  for (std::size_t i = 0; i < image.bytes().size(); ++i)
    image.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i / 6);
  const HostTensor read = read_jpeg({"sample", jpeg_bytes(image, 100)});
  ASSERT_EQ(read.shape(), image.shape());
  for (std::size_t i = 0; i < image.bytes().size(); ++i)
    ASSERT_NEAR(read.as<std::uint8_t>()[i], image.as<std::uint8_t>()[i], 6) << i;
  EXPECT_EQ(error_of([] {
              jpeg_bytes(HostTensor({DType::u8, {2, 2, 4}}));
            }),
            "a JPEG image is made from u8[height, width, 1 or 3] of 1 to 65500 pixels a side, not "
            "u8[2,2,4]");
  EXPECT_EQ(error_of([&] { jpeg_bytes(image, 101); }), "a JPEG quality of 101; 1 to 100 expected");
}

TEST(Jpeg, HugeHeadersAreRefusedBeforeMemoryIsTaken) {
  const std::string sample = jpeg_sample("gray");
  const std::string start = sample.substr(0, 700);
  EXPECT_TRUE(jpeg_error(with_sides(start, 65535, 65535))
                  .ends_with("bad JPEG data (Maximum supported image dimension is 65500 pixels)"))
      << jpeg_error(with_sides(start, 65535, 65535));
  EXPECT_EQ(jpeg_error(with_sides(sample, 65500, 65500)),
            "sample: byte 0: an image of 65500 x 65500 pixels, above the limit of 1073741824 "
            "bytes");
  EXPECT_EQ(jpeg_error(with_sides(sample, 65500, 65500), {.max_bytes = ~std::uint64_t{0}}),
            fmt::format("sample: byte 0: {} bytes cannot hold an image of 65500 x 65500 pixels",
                        sample.size()));
  EXPECT_EQ(jpeg_error(sample, {.max_bytes = 100}),
            "sample: byte 0: an image of 18 x 11 pixels, above the limit of 100 bytes");
  EXPECT_TRUE(jpeg_error(jpeg_sample("progressive"), {.max_scans = 2})
                  .ends_with("bad JPEG data (more than 2 scans)"));
}

TEST(Jpeg, DamageIsNamed) {
  EXPECT_EQ(jpeg_error(""), "sample: byte 0: not a JPEG file: the signature is missing");
  EXPECT_EQ(jpeg_error("\x89PNG"), "sample: byte 0: not a JPEG file: the signature is missing");
  const std::string sample = jpeg_sample("rgb");
  const std::string cut = jpeg_error(sample.substr(0, sample.size() - 20));
  EXPECT_TRUE(cut.starts_with("sample: byte ") &&
              cut.ends_with(": bad JPEG data (Premature end of JPEG file)"))
      << cut;
  EXPECT_EQ(jpeg_error(jpeg_sample("cmyk")),
            "sample: byte 0: a JPEG image of four colours (CMYK); convert it to RGB");
}

TEST(Jpeg, EveryTruncationAndByteChangeIsSurvived) {
  const auto read = [](const ByteSource& source) { read_jpeg(source); };
  for (const char* name : {"gray", "progressive"}) {
    const std::string whole = jpeg_sample(name);
    expect_every_prefix_refused(whole, read);
    expect_every_byte_change_survived(whole, read);
  }
}

// A smooth picture with some texture, colours subsampled.
ByteSource large_jpeg(std::int64_t height, std::int64_t width) {
  HostTensor image({DType::u8, {height, width, 3}});
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < 3; ++c)
        image.as<std::uint8_t>()[static_cast<std::size_t>((y * width + x) * 3 + c)] =
            static_cast<std::uint8_t>((y * (c + 1) + x * 2 + (x * y * (3 - c)) % 17) % 200 + 20);
  return {"large", jpeg_bytes(image, 95)};
}

HostTensor read_part(const ByteSource& source, const ImageRegion& region, int reduction = 1,
                     JpegChannels channels = JpegChannels::as_stored) {
  return read_jpeg_part(source, channels, [&](std::int64_t, std::int64_t) {
    return JpegPart{region, reduction};
  });
}

// Rows and columns of an image, by hand.
HostTensor cut_out(const HostTensor& image, const ImageRegion& region) {
  const std::int64_t width = image.shape()[1], channels = image.shape()[2];
  HostTensor part({DType::u8, {region.height, region.width, channels}});
  for (std::int64_t y = 0; y < region.height; ++y)
    std::copy_n(image.bytes().data() + ((region.top + y) * width + region.left) * channels,
                region.width * channels, part.bytes().data() + y * region.width * channels);
  return part;
}

TEST(Jpeg, PartsArePixelsOfTheWhole) {
  const ByteSource source = large_jpeg(67, 93);
  for (const JpegChannels channels : {JpegChannels::rgb, JpegChannels::gray}) {
    const HostTensor whole = read_jpeg(source, channels);
    std::uint32_t state = 1;
    const auto below = [&](std::int64_t bound) {
      state = state * 1664525u + 1013904223u;
      return static_cast<std::int64_t>(state >> 8) % bound;
    };
    for (int i = 0; i < 200; ++i) {
      const ImageRegion region = [&] {
        const std::int64_t height = 1 + below(67), width = 1 + below(93);
        return ImageRegion{below(68 - height), below(94 - width), height, width};
      }();
      ASSERT_EQ(read_part(source, region, 1, channels), cut_out(whole, region))
          << region.height << "x" << region.width << " at " << region.top << ", " << region.left;
    }
    EXPECT_EQ(read_part(source, {0, 0, 67, 93}, 1, channels), whole);
  }
  for (const char* name : {"rgb", "subsampled", "progressive", "gray"}) {
    const ByteSource small = source_of(jpeg_sample(name));
    EXPECT_EQ(read_part(small, {3, 5, 6, 11}), cut_out(read_jpeg(small), {3, 5, 6, 11})) << name;
  }
}

TEST(Jpeg, ReducedPartsAreMeansOfThePixels) {
  const ByteSource source = large_jpeg(67, 93);
  const HostTensor whole = read_jpeg(source);
  for (const int reduction : {2, 4, 8}) {
    const HostTensor small = read_part(source, {0, 0, 67, 93}, reduction);
    ASSERT_EQ(small.shape(),
              (Shape{(66 + reduction) / reduction, (92 + reduction) / reduction, 3}));
    double error = 0;
    for (std::int64_t y = 0; y < 67 / reduction; ++y)
      for (std::int64_t x = 0; x < 93 / reduction; ++x) {
        double sum = 0;
        for (std::int64_t v = 0; v < reduction; ++v)
          for (std::int64_t u = 0; u < reduction; ++u)
            sum += element_as_double(whole, ((y * reduction + v) * 93 + x * reduction + u) * 3 + 1);
        error += std::abs(element_as_double(small, (y * small.shape()[1] + x) * 3 + 1) -
                          sum / (reduction * reduction));
      }
    EXPECT_LT(error / static_cast<double>((67 / reduction) * (93 / reduction)), 8) << reduction;
    const std::int64_t r = reduction;
    const HostTensor part = read_part(source, {17, 21, 33, 40}, reduction);
    const ImageRegion same{17 / r, 21 / r, (49 + r) / r - 17 / r, (60 + r) / r - 21 / r};
    EXPECT_EQ(part, cut_out(small, same)) << reduction;
  }
}

TEST(Jpeg, PartsOutsideAndDamagedOnesAreRefused) {
  const ByteSource source = source_of(jpeg_sample("rgb"));
  EXPECT_EQ(error_of([&] {
              read_part(source, {4, 0, 8, 3});
            }),
            source.name() + ": 8 x 3 pixels at (4, 0) are no part of an image of 11 x 18 pixels");
  for (const ImageRegion& region :
       {ImageRegion{-1, 0, 3, 3}, ImageRegion{0, 0, 0, 3}, ImageRegion{INT64_MAX, 0, 3, 3},
        ImageRegion{3, 3, INT64_MAX, INT64_MAX}})
    EXPECT_THROW(read_part(source, region), UserError);
  EXPECT_EQ(error_of([&] {
              read_part(source, {0, 0, 3, 3}, 3);
            }),
            source.name() + ": JPEG images are made smaller by 1, 2, 4 or 8, not by 3");
  for (const char* name : {"subsampled", "progressive", "gray"})
    expect_every_byte_change_survived(jpeg_sample(name), [](const ByteSource& bytes) {
      read_part(bytes, {2, 3, 8, 9}, 2);
    });
}

TEST(Image, FormatIsToldByItsFirstBytes) {
  EXPECT_EQ(read_image(source_of(jpeg_sample("rgb")), 3), read_npy(sample_path("jpeg_rgb.npy")));
  const HostTensor gray = make_tensor<std::uint8_t>({1, 2, 1}, {5, 6});
  EXPECT_EQ(read_image({"sample", png_bytes(gray)}, 1), gray);
  EXPECT_EQ(read_image({"sample", png_bytes(gray)}, 3),
            make_tensor<std::uint8_t>({1, 2, 3}, {5, 5, 5, 6, 6, 6}));
  for (const std::string_view bad : {"", "x", "GIF89a"})
    EXPECT_EQ(error_of([&] { read_image(source_of(bad), 3); }),
              "sample: byte 0: neither a PNG nor a JPEG file by its first bytes");
  EXPECT_EQ(error_of([] { read_image(source_of(""), 2); }),
            "images of 2 channels; 1 or 3 expected");
}

}  // namespace
}  // namespace tenon::io

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

#include "tenon/io/png.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"
#include "tenon/io/gzip.h"

namespace tenon::io {
namespace {

std::string chunk(std::string_view type, std::string_view data) {
  const auto big = [](std::uint32_t v) {
    return std::string{char(v >> 24), char(v >> 16), char(v >> 8), char(v)};
  };
  const std::string body = std::string(type) + std::string(data);
  return big(static_cast<std::uint32_t>(data.size())) + body + big(crc32_of(bytes_of(body)));
}

std::string header_chunk(std::uint32_t width, std::uint32_t height, int bits, int colour,
                         int interlace = 0) {
  const auto big = [](std::uint32_t v) {
    return std::string{char(v >> 24), char(v >> 16), char(v >> 8), char(v)};
  };
  return chunk("IHDR", big(width) + big(height) +
                           std::string{char(bits), char(colour), 0, 0, char(interlace)});
}

// A zlib stream (RFC 1950) with one stored block.
std::string zlib_stored(std::string_view raw) {
  std::uint32_t a = 1, b = 0;
  for (const char c : raw) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  const auto n = raw.size();
  return std::string{'\x78', '\x01', '\x01', char(n), char(n >> 8), char(~n), char(~n >> 8)} +
         std::string(raw) + std::string{char(b >> 8), char(b), char(a >> 8), char(a)};
}

const std::string kSignature = "\x89PNG\r\n\x1a\n";

std::string png_file(const std::string& header, std::string_view raw,
                     const std::string& extra = "") {
  return kSignature + header + extra + chunk("IDAT", zlib_stored(raw)) + chunk("IEND", "");
}

std::string png_error(const std::string& file, const PngLimits& limits = {}) {
  return error_of([&] { read_png(source_of(file), PngChannels::as_stored, limits); });
}

HostTensor counting(Shape shape) {
  HostTensor image({DType::u8, std::move(shape)});
  for (std::size_t i = 0; i < image.bytes().size(); ++i)
    image.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 7);
  return image;
}

TEST(Png, RoundTripsGrayRgbAndRgba) {
  for (const std::int64_t channels : {1, 3, 4}) {
    const HostTensor image = counting({5, 3, channels});
    EXPECT_EQ(read_png({"sample", png_bytes(image)}), image) << channels;
  }
  const TemporaryFolder folder;
  write_png(folder / "a.png", counting({2, 4}));
  EXPECT_EQ(read_png(folder / "a.png"), counting({2, 4, 1}));
}

TEST(Png, ConvertsEveryColourTypeAndDepth) {
  const auto read = [](const std::string& file, PngChannels channels = PngChannels::as_stored) {
    return read_png(source_of(file), channels);
  };
  // One bit per pixel: 1 0 1.
  EXPECT_EQ(read(png_file(header_chunk(3, 1, 1, 0), std::string_view("\0\xa0", 2))),
            make_tensor<std::uint8_t>({1, 3, 1}, {255, 0, 255}));
  // 16 bits are rounded to 8.
  EXPECT_EQ(read(png_file(header_chunk(1, 1, 16, 0), std::string_view("\0\x80\x00", 3))),
            make_tensor<std::uint8_t>({1, 1, 1}, {128}));
  // Palette, and palette with transparency.
  const std::string palette = chunk("PLTE", "\x01\x02\x03\x04\x05\x06");
  EXPECT_EQ(read(png_file(header_chunk(2, 1, 8, 3), std::string_view("\0\x01\x00", 3), palette)),
            make_tensor<std::uint8_t>({1, 2, 3}, {4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(read(png_file(header_chunk(2, 1, 8, 3), std::string_view("\0\x01\x00", 3),
                          palette + chunk("tRNS", "\x09"))),
            make_tensor<std::uint8_t>({1, 2, 4}, {4, 5, 6, 255, 1, 2, 3, 9}));
  // Gray with alpha.
  const std::string gray_alpha =
      png_file(header_chunk(1, 1, 8, 4), std::string_view("\0\x32\x64", 3));
  EXPECT_EQ(read(gray_alpha), make_tensor<std::uint8_t>({1, 1, 4}, {50, 50, 50, 100}));
  EXPECT_EQ(read(gray_alpha, PngChannels::gray), make_tensor<std::uint8_t>({1, 1, 1}, {50}));
  EXPECT_EQ(read(gray_alpha, PngChannels::rgb), make_tensor<std::uint8_t>({1, 1, 3}, {50, 50, 50}));
  // RGB to gray and to RGBA.
  const std::string red = png_file(header_chunk(1, 1, 8, 2), std::string_view("\0\xff\0\0", 4));
  EXPECT_EQ(read(red, PngChannels::rgba), make_tensor<std::uint8_t>({1, 1, 4}, {255, 0, 0, 255}));
  EXPECT_EQ(read(red, PngChannels::gray), make_tensor<std::uint8_t>({1, 1, 1}, {76}));
  // Adam7 interlace: 2 x 2 pixels in passes 1, 6 and 7.
  EXPECT_EQ(
      read(png_file(header_chunk(2, 2, 8, 0, 1), std::string_view("\0\x01\0\x02\0\x03\x04", 7))),
      make_tensor<std::uint8_t>({2, 2, 1}, {1, 2, 3, 4}));
}

TEST(Png, GammaDoesNotChangeSamples) {
  const std::string gamma = chunk("gAMA", std::string_view("\x00\x00\x27\x10", 4));
  EXPECT_EQ(
      read_png(source_of(png_file(header_chunk(1, 1, 8, 0), std::string_view("\0\x40", 2), gamma))),
      make_tensor<std::uint8_t>({1, 1, 1}, {64}));
}

TEST(Png, HugeHeadersAreRefusedBeforeMemoryIsTaken) {
  const std::string huge = png_file(header_chunk(65535, 65535, 8, 0), "\0");
  EXPECT_EQ(png_error(huge),
            "sample: byte 8: an image of 65535 x 65535 pixels, above the limit of "
            "1073741824 bytes");
  EXPECT_EQ(png_error(huge, {.max_bytes = ~std::uint64_t{0}}),
            fmt::format("sample: byte 8: {} bytes cannot hold an image of 65535 x 65535 pixels",
                        huge.size()));
  EXPECT_EQ(png_error(png_file(header_chunk(70000, 1, 8, 0), "\0")),
            "sample: byte 33: bad PNG data (Invalid IHDR data)");
}

TEST(Png, DamageIsNamed) {
  EXPECT_EQ(png_error(""), "sample: byte 0: not a PNG file: the signature is missing");
  EXPECT_EQ(png_error("GIF89a picture"),
            "sample: byte 0: not a PNG file: the signature is missing");
  EXPECT_EQ(png_error(kSignature), "sample: byte 8: bad PNG data (the file ends early)");
  EXPECT_EQ(png_error(png_file(header_chunk(0, 1, 8, 0), "")),
            "sample: byte 33: bad PNG data (Invalid IHDR data)");
  std::string wrong_crc = png_file(header_chunk(1, 1, 8, 0), std::string_view("\0\x05", 2));
  wrong_crc[30] ^= 1;
  EXPECT_EQ(png_error(wrong_crc), "sample: byte 33: bad PNG data (IHDR: CRC error)");
  const std::string short_data = png_file(header_chunk(4, 4, 8, 0), std::string_view("\0\x05", 2));
  EXPECT_TRUE(png_error(short_data).starts_with("sample: byte ")) << png_error(short_data);
}

TEST(Png, EveryTruncationAndByteChangeIsSurvived) {
  const std::vector<std::byte> bytes = png_bytes(counting({4, 5, 3}));
  const std::string whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto read = [](const ByteSource& source) { read_png(source); };
  expect_every_prefix_refused(whole, read);
  expect_every_byte_change_survived(whole, read);
}

TEST(Png, OnlyByteImagesAreWritten) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] {
              write_png(folder / "a", HostTensor({DType::f32, {2, 2}}));
            }),
            "a PNG image is made from u8[height, width] or u8[height, width, 1, 3 or 4], not "
            "f32[2,2]");
  EXPECT_EQ(error_of([&] {
              write_png(folder / "a", HostTensor({DType::u8, {2, 2, 2}}));
            }),
            "a PNG image is made from u8[height, width] or u8[height, width, 1, 3 or 4], not "
            "u8[2,2,2]");
  EXPECT_EQ(error_of([&] {
              write_png(folder / "a", HostTensor({DType::u8, {0, 2}}));
            }),
            "a PNG image is 1 to 65535 pixels wide and high, not u8[0,2]");
  EXPECT_EQ(folder.entries(), 0u);
}

}  // namespace
}  // namespace tenon::io

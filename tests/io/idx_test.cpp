#include "tenon/io/idx.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"
#include "tenon/io/gzip.h"

namespace tenon::io {
namespace {

std::string text(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}

std::string idx_error(const std::string& file) {
  return error_of([&] { read_idx(source_of(file)); });
}

TEST(Idx, ReadsEveryElementType) {
  const auto read = [](std::initializer_list<int> bytes) {
    return read_idx(source_of(text(bytes)));
  };
  EXPECT_EQ(read({0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 255}),
            make_tensor<std::uint8_t>({1, 2}, {7, 255}));
  EXPECT_EQ(read({0, 0, 9, 1, 0, 0, 0, 2, 7, 255}), make_tensor<std::int8_t>({2}, {7, -1}));
  EXPECT_EQ(read({0, 0, 0xb, 1, 0, 0, 0, 2, 1, 2, 0xff, 0xfe}),
            make_tensor<std::int32_t>({2}, {258, -2}));
  EXPECT_EQ(read({0, 0, 0xc, 1, 0, 0, 0, 1, 0, 1, 0, 2}), make_tensor<std::int32_t>({1}, {65538}));
  EXPECT_EQ(read({0, 0, 0xd, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0}), make_tensor<float>({1}, {1.5f}));
  EXPECT_EQ(read({0, 0, 0xe, 1, 0, 0, 0, 1, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0}),
            make_tensor<double>({1}, {-1.5}));
  EXPECT_EQ(read({0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 3, 4}),
            make_tensor<std::uint8_t>({1, 1, 2, 1}, {3, 4}));
  EXPECT_EQ(read({0, 0, 8, 1, 0, 0, 0, 0}), make_tensor<std::uint8_t>({0}, {}));
}

TEST(Idx, BadInputIsNamed) {
  EXPECT_EQ(idx_error(""),
            "sample: byte 0: the file ends inside the magic number (2 bytes expected, 0 left)");
  EXPECT_EQ(idx_error("P5 picture"),
            "sample: byte 0: not an idx file: it must start with two zero bytes");
  EXPECT_EQ(idx_error(text({0, 0, 7, 1})),
            "sample: byte 2: unknown element type 0x07 (08, 09, 0b, 0c, 0d, 0e are known)");
  EXPECT_EQ(idx_error(text({0, 0, 8, 0})), "sample: byte 3: rank 0; 1 to 4 expected");
  EXPECT_EQ(idx_error(text({0, 0, 8, 5})), "sample: byte 3: rank 5; 1 to 4 expected");
  EXPECT_EQ(idx_error(text({0, 0, 8, 1, 0, 0, 0, 3, 1, 2})),
            "sample: byte 8: the shape [3] of u8 needs 3 bytes, 2 are left");
  EXPECT_EQ(idx_error(text({0, 0, 8, 1, 0, 0, 0, 1, 1, 2})),
            "sample: byte 9: 1 bytes after the data of u8[1]");
  EXPECT_EQ(idx_error(text({0, 0, 0xe, 2, 255, 255, 255, 255, 255, 255, 255, 255, 0})),
            "sample: byte 12: the shape [4294967295, 4294967295] is impossible");
}

TEST(Idx, EveryTruncationAndByteChangeIsSurvived) {
  const std::string whole = text({0, 0, 0xb, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4});
  expect_every_prefix_refused(whole, [](const ByteSource& source) { read_idx(source); });
  expect_every_byte_change_survived(whole, [](const ByteSource& source) { read_idx(source); });
}

TEST(Idx, GzipIsOpenedTransparently) {
  const TemporaryFolder folder;
  const std::string plain = text({0, 0, 8, 1, 0, 0, 0, 2, 5, 6});
  const std::vector<std::byte> packed = gzip(bytes_of(plain));
  write_file_atomically(folder / "a.gz", packed);
  write_file_atomically(folder / "a", plain);
  EXPECT_EQ(read_idx(folder / "a.gz"), make_tensor<std::uint8_t>({2}, {5, 6}));
  EXPECT_EQ(read_idx(folder / "a"), make_tensor<std::uint8_t>({2}, {5, 6}));
  write_file_atomically(folder / "cut.gz", std::span(packed).first(15));
  EXPECT_EQ(error_of([&] { read_idx(folder / "cut.gz"); }),
            (folder / "cut.gz").string() + ": byte 15: the compressed data ends early");
}

}  // namespace
}  // namespace tenon::io

#include "tenon/io/gzip.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

std::string gzipped(std::string_view text) {
  const std::vector<std::byte> packed = gzip(bytes_of(text));
  return {reinterpret_cast<const char*>(packed.data()), packed.size()};
}

std::string gunzip_error(std::string_view packed, std::uint64_t limit = kMaxUnpackedBytes) {
  return error_of([&] { gunzip(source_of(packed), limit); });
}

TEST(Gzip, RoundTripsIncludingSeveralMembers) {
  std::string text;
  for (std::int64_t i = 0; i < 50000; ++i) text += fmt::format("{} ", i * i);
  EXPECT_EQ(gunzip(source_of(gzipped(text))), bytes_of(text));
  EXPECT_EQ(gunzip(source_of(gzipped(""))), bytes_of(""));
  EXPECT_EQ(gunzip(source_of(gzipped("one ") + gzipped("") + gzipped("two"))), bytes_of("one two"));
}

TEST(Gzip, BombStopsAtTheLimit) {
  const std::string bomb = gzipped(std::string(10'000'000, 'a'));
  ASSERT_LT(bomb.size(), 20000u);
  EXPECT_EQ(gunzip_error(bomb, 1'000'000),
            "sample: unpacks to more than the limit of 1000000 bytes");
  EXPECT_EQ(gunzip(source_of(bomb), 10'000'000).size(), 10'000'000u);
  EXPECT_EQ(gunzip(source_of(bomb), ~std::uint64_t{0}).size(), 10'000'000u);
}

TEST(Gzip, DamageIsNamed) {
  const std::string good = gzipped("hello hello hello");
  EXPECT_EQ(gunzip_error(good.substr(0, good.size() - 3)),
            fmt::format("sample: byte {}: the compressed data ends early", good.size() - 3));
  std::string wrong_crc = good;
  wrong_crc[good.size() - 8] ^= 1;
  EXPECT_EQ(gunzip_error(wrong_crc), fmt::format("sample: byte {}: corrupt compressed data "
                                                 "(incorrect data check)",
                                                 good.size() - 4));
  EXPECT_EQ(gunzip_error(good + "rest"),
            fmt::format("sample: byte {}: corrupt compressed data (incorrect header check)",
                        good.size() + 2));
  EXPECT_EQ(gunzip_error("plain text"),
            "sample: byte 2: corrupt compressed data (incorrect header check)");
}

TEST(Gzip, EveryTruncationAndByteChangeIsSurvived) {
  const std::string whole = gzipped("some text, some more text, some other text");
  expect_every_prefix_refused(whole, [](const ByteSource& source) { gunzip(source); });
  expect_every_byte_change_survived(whole, [](const ByteSource& source) { gunzip(source); });
}

TEST(Gzip, OpenUnpacksOnlyWhatIsPacked) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "plain", "plain");
  write_file_atomically(folder / "packed", gzipped("packed"));
  write_file_atomically(folder / "empty", "");
  const ByteSource plain = open_maybe_gzip(folder / "plain");
  EXPECT_EQ(plain.read_all(100), bytes_of("plain"));
  EXPECT_EQ(open_maybe_gzip(folder / "packed").read_all(100), bytes_of("packed"));
  EXPECT_EQ(open_maybe_gzip(folder / "empty").size(), 0u);
}

TEST(RawDeflate, RoundTripsAndChecksThePromisedSize) {
  const std::vector<std::byte> packed = deflate_raw(bytes_of("aaaaaaaaaaaaaaaaaaaab"));
  const ByteSource source("sample", packed);
  EXPECT_EQ(inflate_raw(source, 0, packed.size(), 21), bytes_of("aaaaaaaaaaaaaaaaaaaab"));
  EXPECT_EQ(error_of([&] { inflate_raw(source, 0, packed.size(), 20); }),
            "sample: byte 0: the compressed data gives more bytes than the 20 promised");
  EXPECT_EQ(error_of([&] { inflate_raw(source, 0, packed.size(), 22); }),
            "sample: byte 0: the compressed data gives fewer bytes than the 22 promised");
  EXPECT_EQ(
      error_of([&] { inflate_raw(source, 0, packed.size(), ~std::uint64_t{0}); }),
      fmt::format("sample: byte 0: {} compressed bytes cannot hold 18446744073709551615 bytes",
                  packed.size()));
  EXPECT_THROW(inflate_raw(source, 0, packed.size() + 1, 21), UserError);
  EXPECT_THROW(inflate_raw(source, 5, ~std::uint64_t{0}, 21), UserError);
}

}  // namespace
}  // namespace tenon::io

#include "tenon/io/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace tenon::io {
namespace {

// RFC 3720, appendix B.4; the RFC prints the bytes of the checksums, lowest first.
TEST(Crc32c, AgreesWithTheRfc) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(falling), 0x113fdb5cU);
  EXPECT_EQ(crc32c(std::string_view("123456789")), 0xe3069283U);  // the usual check value
  EXPECT_EQ(crc32c(std::string_view()), 0U);
}

TEST(Crc32c, TakesATextInParts) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i * 37);
  const std::uint32_t whole = crc32c(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(crc32c(std::string_view(text).substr(cut), crc32c(text.substr(0, cut))), whole)
        << cut;
}

// The frame of an empty record, as TensorFlow writes it: eight zero bytes of length, and their
// masked checksum 29 03 98 07.
TEST(Crc32c, MasksAsTfrecordDoes) {
  EXPECT_EQ(masked_crc32c(std::string(8, '\0')), 0x07980329U);
  EXPECT_EQ(masked_crc32c(std::string_view()), 0xa282ead8U);
}

}  // namespace
}  // namespace tenon::io

#include "tenon/io/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace tenon::io {
namespace {

constexpr std::uint32_t kReversedPolynomial = 0x82f63b78;

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

// Table k: what a byte does to the checksum when k more bytes follow it.
constexpr CrcTables crc_tables() {
  CrcTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReversedPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  return tables;
}

constexpr CrcTables kCrcTables = crc_tables();

std::uint32_t after_byte(std::uint32_t crc, std::byte byte) {
  return (crc >> 8) ^ kCrcTables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
}

std::span<const std::byte> bytes_of_text(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  // Eight bytes at a time ("slicing by 8", Kounavis and Berry 2005).
  if constexpr (std::endian::native == std::endian::little) {
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), 8);
      word ^= crc;
      crc = 0;
      for (std::size_t k = 0; k < 8; ++k) crc ^= kCrcTables[7 - k][(word >> (8 * k)) & 0xff];
    }
  }
  for (const std::byte byte : bytes) crc = after_byte(crc, byte);
  return ~crc;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  return crc32c(bytes_of_text(bytes), before);
}

std::uint32_t masked_crc32c(std::span<const std::byte> bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8U;
}

std::uint32_t masked_crc32c(std::string_view bytes) { return masked_crc32c(bytes_of_text(bytes)); }

}  // namespace tenon::io

// CRC-32C: the checksum of TFRecord files, plain and masked.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tenon::io {

// CRC-32C (Castagnoli), as RFC 3720 appendix B.4 has it. `before` is the checksum of what comes
// before the bytes, so that a text can be taken in parts.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

// The form that TFRecord files store: rotated right by 15 bits, plus 0xa282ead8, so that a checksum
// of data that holds checksums stays a good one.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace tenon::io

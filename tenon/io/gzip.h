// gzip files and raw deflate data, unpacked within limits (zlib).
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "tenon/io/byte_source.h"

namespace tenon::io {

// What unpacking may produce unless told otherwise: 4 GiB.
inline constexpr std::uint64_t kMaxUnpackedBytes = std::uint64_t{1} << 32;

// Deflate cannot expand a byte further than this (zlib's technical notes).
inline constexpr std::uint64_t kMaxDeflateRatio = 1032;

// Whether the data starts like a gzip file.
bool is_gzip(const ByteSource& source);

// The content of all members of a gzip file (RFC 1952). UserError if it is truncated or corrupt,
// fails its checksum, is followed by other bytes, or is larger than `limit`.
std::vector<std::byte> gunzip(const ByteSource& source, std::uint64_t limit = kMaxUnpackedBytes);

// Opens a file, unpacked if it starts like a gzip file.
ByteSource open_maybe_gzip(const std::filesystem::path& path,
                           std::uint64_t limit = kMaxUnpackedBytes);

// One gzip member without time or name: equal input gives equal output.
std::vector<std::byte> gzip(std::span<const std::byte> bytes);

// Raw deflate data (RFC 1951) of `packed` bytes at `offset`, which must give exactly `unpacked`
// bytes; UserError otherwise. Memory is taken only for what could come out of `packed` bytes.
std::vector<std::byte> inflate_raw(const ByteSource& source, std::uint64_t offset,
                                   std::uint64_t packed, std::uint64_t unpacked);
std::vector<std::byte> deflate_raw(std::span<const std::byte> bytes);

// The CRC-32 of zip and gzip, continued from an earlier piece.
std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace tenon::io

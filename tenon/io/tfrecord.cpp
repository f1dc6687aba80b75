#include "tenon/io/tfrecord.h"

#include <algorithm>
#include <array>

#include "tenon/io/crc32c.h"

namespace tenon::io {
namespace {

constexpr std::size_t kTfLengthBytes = 8, kTfChecksumBytes = 4;

std::uint64_t little_value(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

void append_little_value(std::string& out, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i));
}

}  // namespace

TfRecordReader::TfRecordReader(std::unique_ptr<ByteStream> stream, std::uint64_t max_record_bytes)
    : stream_(std::move(stream)), max_record_bytes_(max_record_bytes) {}

void TfRecordReader::fail(const std::string& reason) const {
  throw UserError(fmt::format("{}: record {}: {}", name(), count_, reason));
}

std::optional<std::vector<std::byte>> TfRecordReader::next() {
  std::array<std::byte, kTfLengthBytes + kTfChecksumBytes> start;
  const std::size_t found = stream_->read(start);
  if (found == 0) return std::nullopt;
  if (found < start.size()) fail("the file ends inside its length");
  const std::span<const std::byte> length_bytes = std::span(start).first(kTfLengthBytes);
  const auto expect_checksum = [&](std::span<const std::byte> stored, std::uint32_t computed,
                                   const char* what) {
    if (little_value(stored) != computed)
      fail(fmt::format("the checksum of its {} is {:08x}, the file says {:08x}", what, computed,
                       little_value(stored)));
  };
  expect_checksum(std::span(start).subspan(kTfLengthBytes), masked_crc32c(length_bytes), "length");
  const std::uint64_t length = little_value(length_bytes);
  if (length > max_record_bytes_)
    fail(fmt::format("{} bytes, above the limit of {}", length, max_record_bytes_));
  constexpr std::uint64_t kStep = 1 << 20;
  std::vector<std::byte> record;
  while (record.size() < length) {
    const std::size_t before = record.size();
    record.resize(static_cast<std::size_t>(std::min(length, before + kStep)));
    const std::size_t came = stream_->read(std::span(record).subspan(before));
    if (before + came < record.size())
      fail(fmt::format("the file ends inside it ({} bytes expected, {} left)", length,
                       before + came));
  }
  std::array<std::byte, kTfChecksumBytes> checksum;
  if (stream_->read(checksum) < checksum.size()) fail("the file ends inside its checksum");
  expect_checksum(checksum, masked_crc32c(record), "data");
  ++count_;
  return record;
}

std::string tfrecord_bytes(std::string_view record) {
  std::string out;
  out.reserve(record.size() + kTfLengthBytes + 2 * kTfChecksumBytes);
  append_little_value(out, record.size(), kTfLengthBytes);
  append_little_value(out, masked_crc32c(std::string_view(out)), kTfChecksumBytes);
  out += record;
  append_little_value(out, masked_crc32c(record), kTfChecksumBytes);
  return out;
}

}  // namespace tenon::io

#include "tenon/io/tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tenon/base/text.h"

namespace tenon::io {
namespace {

constexpr std::size_t kBlockBytes = 512;
using TarBlock = std::array<std::byte, kBlockBytes>;

// The text of a field up to its first NUL.
std::string field_text(const TarBlock& block, std::size_t offset, std::size_t length) {
  const char* start = reinterpret_cast<const char*>(block.data()) + offset;
  return {start, std::find(start, start + length, '\0')};
}

// Octal digits between blanks, or GNU's base 256 with the first bit set; none if it is neither or
// does not fit 63 bits.
std::optional<std::uint64_t> field_number(const TarBlock& block, std::size_t offset,
                                          std::size_t length) {
  std::uint64_t value = 0;
  constexpr std::uint64_t kTopBits = std::uint64_t{0xff} << 55;
  if (block[offset] == std::byte{0x80}) {
    for (std::size_t i = 1; i < length; ++i) {
      if ((value & kTopBits) != 0) return std::nullopt;
      value = value << 8 | static_cast<std::uint64_t>(block[offset + i]);
    }
    return value;
  }
  const std::string text = field_text(block, offset, length);
  const std::string_view digits = trim(text);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  return value;
}

constexpr std::size_t kNameAt = 0, kNameBytes = 100, kSizeAt = 124, kSizeBytes = 12,
                      kChecksumAt = 148, kTarChecksumBytes = 8, kTypeAt = 156, kMagicAt = 257,
                      kMagicBytes = 5, kPrefixAt = 345, kPrefixBytes = 155;

bool checksum_fits(const TarBlock& block) {
  const std::optional<std::uint64_t> stored = field_number(block, kChecksumAt, kTarChecksumBytes);
  std::int64_t plain = 0, with_signs = 0;  // old writers summed signed bytes
  for (std::size_t i = 0; i < kBlockBytes; ++i) {
    const bool inside = i >= kChecksumAt && i < kChecksumAt + kTarChecksumBytes;
    const auto byte = inside ? std::uint8_t{' '} : static_cast<std::uint8_t>(block[i]);
    plain += byte;
    with_signs += static_cast<std::int8_t>(byte);
  }
  return stored && (std::cmp_equal(*stored, plain) || std::cmp_equal(*stored, with_signs));
}

}  // namespace

struct TarReader::Header {
  std::string name;
  std::uint64_t size = 0;
  char type = '0';
};

TarReader::TarReader(std::unique_ptr<ByteStream> stream, std::uint64_t max_file_bytes)
    : stream_(std::move(stream)), max_file_bytes_(max_file_bytes) {}

void TarReader::fail(const std::string& reason) const {
  fail_at(name(), header_place_, "{}", reason);
}

std::optional<TarReader::Header> TarReader::next_header() {
  TarBlock block;
  header_place_ = place_;
  const std::size_t found = stream_->read(block);
  if (found == 0) fail("the archive ends without the block of zeros that marks its end");
  if (found < block.size()) fail("the archive ends inside a header");
  place_ += block.size();
  if (std::ranges::all_of(block, [](std::byte b) { return b == std::byte{0}; }))
    return std::nullopt;
  if (!checksum_fits(block)) fail("not a tar archive, or a header with a wrong checksum");
  Header header;
  header.type = static_cast<char>(block[kTypeAt]);
  header.name = field_text(block, kNameAt, kNameBytes);
  // GNU tar leaves the blank behind "ustar" and has no prefix.
  const bool is_posix = field_text(block, kMagicAt, kMagicBytes + 1) == "ustar";
  const std::string prefix = is_posix ? field_text(block, kPrefixAt, kPrefixBytes) : "";
  if (!prefix.empty()) header.name = prefix + "/" + header.name;
  const std::optional<std::uint64_t> size = field_number(block, kSizeAt, kSizeBytes);
  if (!size) fail(fmt::format("the size of {} is no number", in_quotes(header.name)));
  header.size = *size;
  return header;
}

std::vector<std::byte> TarReader::content(std::uint64_t size, std::uint64_t limit,
                                          const std::string& what) {
  if (size > limit) fail(fmt::format("{} has {} bytes, above the limit of {}", what, size, limit));
  constexpr std::uint64_t kStep = 1 << 20;  // memory is taken as the bytes come
  std::vector<std::byte> bytes;
  while (bytes.size() < size) {
    const std::size_t before = bytes.size();
    bytes.resize(static_cast<std::size_t>(std::min(size, before + kStep)));
    const std::size_t came = stream_->read(std::span(bytes).subspan(before));
    place_ += came;
    if (before + came < bytes.size())
      fail(fmt::format("the archive ends inside {} ({} bytes expected, {} left)", what, size,
                       before + came));
  }
  std::array<std::byte, kBlockBytes> padding;
  const std::size_t rest =
      static_cast<std::size_t>((kBlockBytes - size % kBlockBytes) % kBlockBytes);
  const std::size_t came = stream_->read(std::span(padding).first(rest));
  place_ += came;
  if (came < rest) fail(fmt::format("the archive ends behind {}", what));
  return bytes;
}

// Records "LENGTH KEY=VALUE\n"; the length counts all of the record.
void TarReader::read_pax(const std::vector<std::byte>& records) {
  std::string_view rest(reinterpret_cast<const char*>(records.data()), records.size());
  while (!rest.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    const bool good = error == std::errc() && length > digits + 1 && length <= rest.size() &&
                      rest[digits] == ' ' && rest[length - 1] == '\n';
    if (!good) fail("a malformed pax header");
    const std::string_view record = rest.substr(digits + 1, length - digits - 2);
    rest.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) fail("a malformed pax header");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") long_name_ = std::string(value);
    if (key != "size") continue;
    std::uint64_t size = 0;
    const auto [stop, wrong] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (wrong != std::errc() || stop != value.data() + value.size())
      fail("a malformed pax header: the size is no number");
    long_size_ = size;
  }
}

std::string TarReader::checked_name(const Header& header) {
  const std::string& name = header.name;
  if (name.empty() || name.starts_with('/') || name.find('\0') != std::string::npos)
    fail(fmt::format("the name {} is empty or absolute; relative names expected", in_quotes(name)));
  std::string result;
  for (const std::string_view part : split(name, '/')) {
    if (part == "..")
      fail(fmt::format("the name {} leads out of the archive by \"..\"", in_quotes(name)));
    if (part.empty() || part == ".") continue;
    if (!result.empty()) result += '/';
    result += part;
  }
  return result;
}

std::optional<TarFile> TarReader::next() {
  constexpr std::uint64_t kMaxNameBytes = 1 << 20;
  const auto text_of = [](const std::vector<std::byte>& bytes) {
    const auto* start = reinterpret_cast<const char*>(bytes.data());
    return std::string(start, std::find(start, start + bytes.size(), '\0'));
  };
  while (!ended_) {
    std::optional<Header> header = next_header();
    ended_ = !header.has_value();
    if (ended_) break;
    switch (header->type) {
      case 'L': long_name_ = text_of(content(header->size, kMaxNameBytes, "a long name")); continue;
      case 'K': content(header->size, kMaxNameBytes, "a long name"); continue;
      case 'x': read_pax(content(header->size, kMaxNameBytes, "a pax header")); continue;
      case 'g': content(header->size, kMaxNameBytes, "a pax header"); continue;
    }
    header->name = std::exchange(long_name_, std::nullopt).value_or(header->name);
    header->size = std::exchange(long_size_, std::nullopt).value_or(header->size);
    const std::uint64_t offset = header_place_;
    const bool is_file = header->type == '0' || header->type == '\0' || header->type == '7';
    const bool is_folder = header->type == '5' || (is_file && header->name.ends_with('/'));
    if (header->type == '1' || header->type == '2')
      fail(fmt::format("{} is a link; files expected", in_quotes(header->name)));
    if (!is_file && !is_folder)
      fail(fmt::format("{} has the type {}; files expected", in_quotes(header->name),
                       in_quotes(std::string(1, header->type))));
    std::string name = checked_name(*header);
    std::vector<std::byte> bytes =
        content(header->size, is_folder ? kMaxNameBytes : max_file_bytes_, in_quotes(header->name));
    if (is_folder) continue;
    if (name.empty()) fail(fmt::format("{} names no file", in_quotes(header->name)));
    return TarFile{std::move(name), offset, std::move(bytes)};
  }
  return std::nullopt;
}

}  // namespace tenon::io

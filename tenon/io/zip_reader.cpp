#include <algorithm>
#include <optional>
#include <set>

#include "tenon/base/text.h"
#include "tenon/io/zip.h"

namespace tenon::io {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50,
                        kEndSignature = 0x06054b50, kEnd64Signature = 0x06064b50,
                        kLocator64Signature = 0x07064b50;
constexpr std::uint64_t kEndSize = 22, kLocator64Size = 20, kCentralSize = 46;
constexpr std::uint16_t kAll16 = 0xffff;
constexpr std::uint32_t kAll32 = 0xffffffff;

struct ZipDirectory {
  std::uint64_t count, size, offset;
};

// The end record is the last thing in the file but for a comment of at most 65535 bytes.
std::uint64_t find_end_record(const ByteSource& source) {
  const std::uint64_t window = std::min<std::uint64_t>(source.size(), kEndSize + kAll16);
  std::vector<std::byte> tail(static_cast<std::size_t>(window));
  source.read(source.size() - window, tail);
  for (std::uint64_t back = kEndSize; back <= window; ++back) {
    const ByteSource end = ByteSource::borrow(source.name(), std::span(tail).last(back));
    if (Cursor(end).little_endian<std::uint32_t>("") != kEndSignature) continue;
    if (Cursor(end, kEndSize - 2).little_endian<std::uint16_t>("") == back - kEndSize)
      return source.size() - back;
  }
  fail_at(source.name(), 0, "not a zip archive: no end record (is the file cut short?)");
}

std::optional<ZipDirectory> find_zip64_directory(const ByteSource& source, std::uint64_t end) {
  if (end < kLocator64Size) return std::nullopt;
  Cursor locator(source, end - kLocator64Size);
  if (locator.little_endian<std::uint32_t>("") != kLocator64Signature) return std::nullopt;
  locator.little_endian<std::uint32_t>("the zip64 locator");
  const auto offset = locator.little_endian<std::uint64_t>("the zip64 locator");
  if (offset > end) fail_at(source.name(), locator.offset(), "the zip64 end record is outside");
  Cursor record(source, offset);
  if (record.little_endian<std::uint32_t>("the zip64 end record") != kEnd64Signature)
    fail_at(source.name(), offset, "no zip64 end record where the locator says");
  std::uint64_t fields[5];  // record size; versions and disks (12 bytes) skipped below
  fields[0] = record.little_endian<std::uint64_t>("the zip64 end record");
  record.text(12, "the zip64 end record");
  for (int i = 1; i < 5; ++i)
    fields[i] = record.little_endian<std::uint64_t>("the zip64 end record");
  return ZipDirectory{fields[2], fields[3], fields[4]};
}

ZipDirectory find_directory(const ByteSource& source) {
  const std::uint64_t end = find_end_record(source);
  Cursor cursor(source, end + 4);
  const auto disk = cursor.little_endian<std::uint16_t>("the end record");
  const auto first_disk = cursor.little_endian<std::uint16_t>("the end record");
  const auto count_here = cursor.little_endian<std::uint16_t>("the end record");
  const auto count = cursor.little_endian<std::uint16_t>("the end record");
  const auto size = cursor.little_endian<std::uint32_t>("the end record");
  const auto offset = cursor.little_endian<std::uint32_t>("the end record");
  ZipDirectory directory{count, size, offset};
  if (count == kAll16 || size == kAll32 || offset == kAll32) {
    const std::optional<ZipDirectory> wide = find_zip64_directory(source, end);
    if (!wide) fail_at(source.name(), end, "the zip64 end record is missing");
    directory = *wide;
  } else if (disk != 0 || first_disk != 0 || count_here != count) {
    fail_at(source.name(), end, "archives on several disks are not supported");
  }
  if (directory.offset > end || directory.size > end - directory.offset)
    fail_at(source.name(), end, "the directory ({} bytes at {}) lies outside of the file",
            directory.size, directory.offset);
  if (directory.count > directory.size / kCentralSize)
    fail_at(source.name(), end, "{} members cannot be listed in {} bytes", directory.count,
            directory.size);
  return directory;
}

// Replaces the sizes that are "see zip64 field" by those in the extra field 0x0001.
void apply_zip64_extra(const ByteSource& source, std::uint64_t offset, const std::string& extra,
                       std::initializer_list<std::uint64_t*> values) {
  const ByteSource fields = ByteSource::borrow(source.name(), std::as_bytes(std::span(extra)));
  Cursor cursor(fields);
  while (cursor.remaining() >= 4) {
    const auto id = cursor.little_endian<std::uint16_t>("an extra field");
    const auto length = cursor.little_endian<std::uint16_t>("an extra field");
    if (length > cursor.remaining()) fail_at(source.name(), offset, "an extra field is too long");
    const std::string content = cursor.text(length, "an extra field");
    if (id != 1) continue;
    const ByteSource wide = ByteSource::borrow(source.name(), std::as_bytes(std::span(content)));
    Cursor numbers(wide);
    for (std::uint64_t* value : values) {
      if (*value != kAll32) continue;
      if (numbers.remaining() < 8) fail_at(source.name(), offset, "the zip64 field is too short");
      *value = numbers.little_endian<std::uint64_t>("the zip64 field");
    }
    return;
  }
}

ZipMember read_central_entry(const ByteSource& source, Cursor& cursor) {
  const std::uint64_t start = cursor.offset();
  const std::string_view what = "the directory";
  if (cursor.little_endian<std::uint32_t>(what) != kCentralSignature)
    fail_at(source.name(), start, "a directory entry expected");
  cursor.little_endian<std::uint32_t>(what);  // versions
  const auto flags = cursor.little_endian<std::uint16_t>(what);
  const auto method = cursor.little_endian<std::uint16_t>(what);
  cursor.little_endian<std::uint32_t>(what);  // time and date
  ZipMember member;
  member.crc = cursor.little_endian<std::uint32_t>(what);
  member.packed = cursor.little_endian<std::uint32_t>(what);
  member.unpacked = cursor.little_endian<std::uint32_t>(what);
  const auto name_length = cursor.little_endian<std::uint16_t>(what);
  const auto extra_length = cursor.little_endian<std::uint16_t>(what);
  const auto comment_length = cursor.little_endian<std::uint16_t>(what);
  cursor.little_endian<std::uint64_t>(what);  // disk and attributes
  member.offset = cursor.little_endian<std::uint32_t>(what);
  member.name = cursor.text(name_length, what);
  const std::string extra = cursor.text(extra_length, what);
  cursor.text(comment_length, what);
  apply_zip64_extra(source, start, extra, {&member.unpacked, &member.packed, &member.offset});
  constexpr std::uint16_t kEncrypted = 1;
  if ((flags & kEncrypted) != 0)
    fail_at(source.name(), start, "the member {} is encrypted", in_quotes(member.name));
  if (method != 0 && method != 8)
    fail_at(source.name(), start, "the member {} uses compression method {} (0 and 8 are known)",
            in_quotes(member.name), method);
  member.method = static_cast<ZipMethod>(method);
  return member;
}

// Moves member.offset from the local header to the data behind it.
void find_data(const ByteSource& source, ZipMember& member, std::uint64_t directory) {
  constexpr std::uint64_t kLocalSize = 30;
  const std::uint64_t start = member.offset;
  if (start > directory || directory - start < kLocalSize)
    fail_at(source.name(), start, "the member {} lies outside of the file", in_quotes(member.name));
  Cursor cursor(source, start);
  if (cursor.little_endian<std::uint32_t>("") != kLocalSignature)
    fail_at(source.name(), start, "the member {} does not start here", in_quotes(member.name));
  cursor.text(22, "");
  const auto name_length = cursor.little_endian<std::uint16_t>("");
  const auto extra_length = cursor.little_endian<std::uint16_t>("");
  if (cursor.text(name_length, "a member's name") != member.name)
    fail_at(source.name(), start, "the member {} has another name here", in_quotes(member.name));
  member.offset = cursor.offset() + extra_length;
  if (member.offset > directory || member.packed > directory - member.offset)
    fail_at(source.name(), start, "the member {} ({} bytes) runs past the archive's data",
            in_quotes(member.name), member.packed);
  const bool believable = member.method == ZipMethod::stored
                              ? member.unpacked == member.packed
                              : member.unpacked / kMaxDeflateRatio <= member.packed;
  if (!believable)
    fail_at(source.name(), start, "the member {} cannot hold {} bytes in {}",
            in_quotes(member.name), member.unpacked, member.packed);
}

}  // namespace

std::vector<ZipMember> read_zip_directory(const ByteSource& source, std::uint64_t limit) {
  const ZipDirectory directory = find_directory(source);
  std::vector<ZipMember> members;
  std::set<std::string> names;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // header to data's end
  std::uint64_t total = 0;
  Cursor cursor(source, directory.offset);
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    ZipMember member = read_central_entry(source, cursor);
    const std::uint64_t header = member.offset;
    find_data(source, member, directory.offset);
    if (!names.insert(member.name).second)
      fail_at(source.name(), header, "two members named {}", in_quotes(member.name));
    require(member.unpacked <= limit - total, "{}: unpacks to more than the limit of {} bytes",
            source.name(), limit);
    total += member.unpacked;
    ranges.emplace_back(header, member.offset + member.packed);
    members.push_back(std::move(member));
  }
  if (cursor.offset() != directory.offset + directory.size)
    fail_at(source.name(), cursor.offset(),
            "the directory's size ({} bytes) does not fit its entries", directory.size);
  std::ranges::sort(ranges);
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first < ranges[i - 1].second)
      fail_at(source.name(), ranges[i].first, "two members overlap");
  return members;
}

ByteSource read_zip_member(const ByteSource& source, const ZipMember& member) {
  std::vector<std::byte> content;
  if (member.method == ZipMethod::deflated) {
    content = inflate_raw(source, member.offset, member.packed, member.unpacked);
  } else {
    content.resize(static_cast<std::size_t>(member.packed));
    source.read(member.offset, content);
  }
  const std::uint32_t crc = crc32_of(content);
  if (crc != member.crc)
    fail_at(source.name(), member.offset,
            "the member {} is corrupt: its CRC-32 is {:08x}, the directory says {:08x}",
            in_quotes(member.name), crc, member.crc);
  return {fmt::format("{}: {}", source.name(), in_quotes(member.name)), std::move(content)};
}

}  // namespace tenon::io

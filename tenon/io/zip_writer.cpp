#include "tenon/io/zip.h"

namespace tenon::io {
namespace {

class LittleEndian {
 public:
  LittleEndian& u16(std::uint64_t value) { return put(value, 2); }
  LittleEndian& u32(std::uint64_t value) { return put(value, 4); }
  LittleEndian& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  LittleEndian& put(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_ += static_cast<char>(value >> 8 * i & 0xff);
    return *this;
  }
  std::string bytes_;
};

constexpr std::uint64_t kVersion = 20;         // deflate
constexpr std::uint64_t kFirstDay = 0x0021;    // 1980-01-01, the earliest date there is
constexpr std::uint64_t kMax32 = 0xfffffffe;   // 0xffffffff would mean zip64
constexpr std::uint64_t kHeaderSlack = 70000;  // more than any header with its name

// From "version needed" to "extra length": the part that both headers share.
void put_shared_fields(LittleEndian& out, const ZipMember& member) {
  out.u16(kVersion).u16(0).u16(static_cast<std::uint64_t>(member.method)).u16(0).u16(kFirstDay);
  out.u32(member.crc).u32(member.packed).u32(member.unpacked).u16(member.name.size()).u16(0);
}

}  // namespace

void ZipWriter::add(const std::string& name,
                    std::initializer_list<std::span<const std::byte>> pieces, ZipMethod method) {
  require(!name.empty() && name.size() <= 65535,
          "a zip member's name has {} bytes; 1 to 65535 "
          "are possible",
          name.size());
  ZipMember member{.name = name, .method = method, .offset = written_};
  for (const std::span<const std::byte> piece : pieces) {
    member.unpacked += piece.size();
    member.crc = crc32_of(piece, member.crc);
  }
  std::vector<std::byte> packed;
  if (method == ZipMethod::deflated) {
    std::vector<std::byte> whole;
    whole.reserve(static_cast<std::size_t>(member.unpacked));
    for (const auto piece : pieces) whole.insert(whole.end(), piece.begin(), piece.end());
    packed = deflate_raw(whole);
  }
  member.packed = method == ZipMethod::deflated ? packed.size() : member.unpacked;
  require(members_.size() < 65534 && member.unpacked <= kMax32 &&
              written_ + member.packed + kHeaderSlack <= kMax32,
          "a zip archive with {} would pass 4 GiB or 65534 members", name);

  LittleEndian header;
  header.u32(0x04034b50);
  put_shared_fields(header, member);
  header.text(name);
  file_.write(header.bytes());
  if (method == ZipMethod::deflated)
    file_.write(packed);
  else
    for (const auto piece : pieces) file_.write(piece);
  written_ += header.bytes().size() + member.packed;
  members_.push_back(std::move(member));
}

void ZipWriter::commit() {
  LittleEndian directory;
  for (const ZipMember& member : members_) {
    directory.u32(0x02014b50).u16(kVersion);
    put_shared_fields(directory, member);
    directory.u16(0).u16(0).u16(0).u32(0);  // comment length, disk, attributes
    directory.u32(member.offset).text(member.name);
  }
  const std::uint64_t size = directory.bytes().size();
  require(written_ + size <= kMax32, "a zip archive would pass 4 GiB");
  directory.u32(0x06054b50).u16(0).u16(0).u16(members_.size()).u16(members_.size());
  directory.u32(size).u32(written_).u16(0);
  file_.write(directory.bytes());
  file_.commit();
}

}  // namespace tenon::io

// Zip archives, as far as .npz files need them: stored and deflated members, zip64 when reading.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "tenon/io/byte_source.h"
#include "tenon/io/file.h"
#include "tenon/io/gzip.h"

namespace tenon::io {

enum class ZipMethod : std::uint16_t { stored = 0, deflated = 8 };

struct ZipMember {
  std::string name;
  ZipMethod method = ZipMethod::stored;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;    // bytes in the archive
  std::uint64_t unpacked = 0;  // bytes of the content
  std::uint64_t offset = 0;    // of the first packed byte
};

// The members of an archive in directory order. UserError for anything malformed: members that
// overlap, lie outside of the file, are encrypted, have equal names, use another compression, claim
// more than their packed size can hold, or together more than `limit` bytes.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
std::vector<ZipMember> read_zip_directory(const ByteSource& source,
                                          std::uint64_t limit = kMaxUnpackedBytes);

// The content of a member, named "ARCHIVE: MEMBER". UserError if it is corrupt.
ByteSource read_zip_member(const ByteSource& source, const ZipMember& member);

// Writes an archive member by member. Times are zero: equal content gives equal bytes.
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path) : file_(path) {}
  // The content is given in pieces. UserError if the archive would pass 4 GiB.
  void add(const std::string& name, std::initializer_list<std::span<const std::byte>> pieces,
           ZipMethod method);
  void commit();

 private:
  AtomicFile file_;
  std::vector<ZipMember> members_;  // offset: of the local header
  std::uint64_t written_ = 0;
};

}  // namespace tenon::io

// Tar archives, read from front to back: ustar, GNU long names, pax paths and sizes.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tenon/io/byte_stream.h"

namespace tenon::io {

struct TarFile {
  std::string name;          // a relative path without "." and ".."
  std::uint64_t offset = 0;  // of its header in the unpacked archive
  std::vector<std::byte> content;
};

// Gives the regular files; folders are passed over. UserError "ARCHIVE: byte N: REASON" for names
// that are absolute or hold "..", links and devices, wrong checksums, sizes above the limit, and an
// archive that ends early or without the block of zeros that ends it.
// POSIX.1-2017, pax: ustar Interchange Format; GNU tar manual, "Basic Tar Format".
class TarReader {
 public:
  explicit TarReader(std::unique_ptr<ByteStream> stream,
                     std::uint64_t max_file_bytes = std::uint64_t{1} << 30);

  const std::string& name() const { return stream_->name(); }
  // The next file; nothing after the last.
  std::optional<TarFile> next();

 private:
  struct Header;
  std::optional<Header> next_header();
  std::vector<std::byte> content(std::uint64_t size, std::uint64_t limit, const std::string& what);
  void read_pax(const std::vector<std::byte>& records);
  std::string checked_name(const Header& header);
  [[noreturn]] void fail(const std::string& reason) const;

  std::unique_ptr<ByteStream> stream_;
  std::uint64_t max_file_bytes_;
  std::uint64_t place_ = 0;         // of the next byte
  std::uint64_t header_place_ = 0;  // of the header read last
  bool ended_ = false;
  // Of the file that follows.
  std::optional<std::string> long_name_;
  std::optional<std::uint64_t> long_size_;
};

}  // namespace tenon::io

// Reading a regular file by position, without ever waiting for what is none.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace tenon {

class RegularFile {
 public:
  // UserError if it is missing or unreadable, a folder, a device or a FIFO.
  explicit RegularFile(const std::filesystem::path& path);
  ~RegularFile();
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  const std::string& name() const { return name_; }
  // Bytes when it was opened.
  std::uint64_t size() const { return size_; }
  // Fills `out` from `offset` on. UserError if the file has fewer bytes, or if reading fails.
  void read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// The content; nothing if there is no such regular file of at most `limit` bytes that can be read.
std::optional<std::string> read_if_regular(const std::filesystem::path& path, std::uint64_t limit);

}  // namespace tenon

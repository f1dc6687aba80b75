// Bounded random access to the bytes of a file or of memory, with a name for messages.
#pragma once
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tenon/base/error.h"

namespace tenon {
class RegularFile;
}

namespace tenon::io {

// Raises UserError "FILE: byte N: REASON": how every binary reader reports bad input.
template <class... Args>
[[noreturn]] void fail_at(const std::string& file, std::uint64_t byte,
                          fmt::format_string<Args...> format, Args&&... args) {
  throw UserError(
      fmt::format("{}: byte {}: {}", file, byte, fmt::format(format, std::forward<Args>(args)...)));
}

// Cheap to copy: copies share the open file or the memory.
class ByteSource {
 public:
  // Opens a regular file. UserError if it is missing, unreadable, a folder or a device.
  static ByteSource open(const std::filesystem::path& path);
  // Bytes in memory, kept by the source.
  ByteSource(std::string name, std::vector<std::byte> bytes);
  // Bytes in memory that outlive the source.
  static ByteSource borrow(std::string name, std::span<const std::byte> bytes);

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }

  // Fills `out` from `offset` on. UserError if fewer bytes are left, or if reading fails.
  void read(std::uint64_t offset, std::span<std::byte> out) const;

  // All bytes. UserError if there are more than `limit`.
  std::vector<std::byte> read_all(std::uint64_t limit) const;

 private:
  ByteSource() = default;
  std::string name_;
  std::uint64_t size_ = 0;
  std::shared_ptr<const RegularFile> file_;               // or
  std::shared_ptr<const std::vector<std::byte>> memory_;  // or borrowed:
  const std::byte* data_ = nullptr;
};

// Reads a header field by field; running out of bytes is a UserError naming the field.
class Cursor {
 public:
  explicit Cursor(const ByteSource& source, std::uint64_t offset = 0)
      : source_(source), offset_(offset) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return source_.size() - offset_; }

  void read(std::span<std::byte> out, std::string_view what);
  std::string text(std::uint64_t length, std::string_view what);

  template <std::unsigned_integral T>
  T big_endian(std::string_view what) {
    return unsigned_value<T>(what, true);
  }
  template <std::unsigned_integral T>
  T little_endian(std::string_view what) {
    return unsigned_value<T>(what, false);
  }

 private:
  template <std::unsigned_integral T>
  T unsigned_value(std::string_view what, bool big) {
    std::array<std::byte, sizeof(T)> raw;
    read(raw, what);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = value << 8 | static_cast<std::uint64_t>(raw[big ? i : sizeof(T) - 1 - i]);
    return static_cast<T>(value);
  }

  const ByteSource& source_;
  std::uint64_t offset_;
};

}  // namespace tenon::io

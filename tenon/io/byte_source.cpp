#include "tenon/io/byte_source.h"

#include <cstring>

#include "tenon/base/regular_file.h"

namespace tenon::io {

ByteSource ByteSource::open(const std::filesystem::path& path) {
  ByteSource source;
  source.file_ = std::make_shared<RegularFile>(path);
  source.name_ = source.file_->name();
  source.size_ = source.file_->size();
  return source;
}

ByteSource::ByteSource(std::string name, std::vector<std::byte> bytes)
    : name_(std::move(name)),
      size_(bytes.size()),
      memory_(std::make_shared<const std::vector<std::byte>>(std::move(bytes))) {
  data_ = memory_->data();
}

ByteSource ByteSource::borrow(std::string name, std::span<const std::byte> bytes) {
  ByteSource source;
  source.name_ = std::move(name);
  source.size_ = bytes.size();
  source.data_ = bytes.data();
  return source;
}

void ByteSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t left = offset <= size_ ? size_ - offset : 0;
  if (out.size() > left) fail_at(name_, offset, "{} bytes expected, {} left", out.size(), left);
  if (file_ != nullptr)
    file_->read(offset, out);
  else if (!out.empty())
    std::memcpy(out.data(), data_ + offset, out.size());
}

std::vector<std::byte> ByteSource::read_all(std::uint64_t limit) const {
  require(size_ <= limit, "{}: {} bytes, more than the limit of {}", name_, size_, limit);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size_));
  read(0, bytes);
  return bytes;
}

void Cursor::read(std::span<std::byte> out, std::string_view what) {
  if (out.size() > remaining())
    fail_at(source_.name(), offset_, "the file ends inside {} ({} bytes expected, {} left)", what,
            out.size(), remaining());
  source_.read(offset_, out);
  offset_ += out.size();
}

std::string Cursor::text(std::uint64_t length, std::string_view what) {
  if (length > remaining())
    fail_at(source_.name(), offset_, "the file ends inside {} ({} bytes expected, {} left)", what,
            length, remaining());
  std::string text(static_cast<std::size_t>(length), '\0');
  read(std::as_writable_bytes(std::span(text)), what);
  return text;
}

}  // namespace tenon::io

#include "tenon/io/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tenon::io {

struct ByteSource::File {
  explicit File(int d) : descriptor(d) {}
  ~File() { ::close(descriptor); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor;
};

ByteSource ByteSource::open(const std::filesystem::path& path) {
  ByteSource source;
  source.name_ = path.string();
  require(!source.name_.empty(), "cannot read a file: its name is empty");
  require(source.name_.find('\0') == std::string::npos, "cannot read {}: the name holds a NUL byte",
          source.name_.c_str());
  // O_NONBLOCK: opening a FIFO without a writer must not hang.
  const int descriptor = ::open(source.name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  require(descriptor >= 0, "cannot read {}: {}", source.name_, std::strerror(errno));
  source.file_ = std::make_shared<File>(descriptor);
  struct stat status {};
  require(::fstat(descriptor, &status) == 0, "cannot read {}: {}", source.name_,
          std::strerror(errno));
  require(!S_ISDIR(status.st_mode), "cannot read {}: it is a folder", source.name_);
  require(S_ISREG(status.st_mode), "cannot read {}: it is not a regular file", source.name_);
  source.size_ = static_cast<std::uint64_t>(status.st_size);
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
  if (file_ == nullptr) {
    if (!out.empty()) std::memcpy(out.data(), data_ + offset, out.size());
    return;
  }
  constexpr std::size_t kMaxRead = std::size_t{1} << 30;  // Linux reads at most 2 GiB per call
  while (!out.empty()) {
    const ssize_t count = ::pread(file_->descriptor, out.data(), std::min(out.size(), kMaxRead),
                                  static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_at(name_, offset, "reading failed: {}", std::strerror(errno));
    if (count == 0) fail_at(name_, offset, "the file was shortened while it was read");
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
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

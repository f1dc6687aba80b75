#include "tenon/base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tenon/base/error.h"

namespace tenon {

RegularFile::RegularFile(const std::filesystem::path& path) : name_(path.string()) {
  require(!name_.empty(), "cannot read a file: its name is empty");
  require(name_.find('\0') == std::string::npos, "cannot read {}: the name holds a NUL byte",
          name_.c_str());
  // O_NONBLOCK: opening a FIFO without a writer must not hang.
  descriptor_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  require(descriptor_ >= 0, "cannot read {}: {}", name_, std::strerror(errno));
  struct stat status {};
  std::string reason;
  if (::fstat(descriptor_, &status) != 0)
    reason = std::strerror(errno);
  else if (S_ISDIR(status.st_mode))
    reason = "it is a folder";
  else if (!S_ISREG(status.st_mode))
    reason = "it is not a regular file";
  size_ = static_cast<std::uint64_t>(status.st_size);
  if (reason.empty()) return;
  ::close(descriptor_);  // there is no destructor behind a throw
  throw UserError(fmt::format("cannot read {}: {}", name_, reason));
}

RegularFile::~RegularFile() { ::close(descriptor_); }

void RegularFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  constexpr std::size_t kMaxRead = std::size_t{1} << 30;  // Linux reads at most 2 GiB per call
  while (!out.empty()) {
    const ssize_t count = ::pread(descriptor_, out.data(), std::min(out.size(), kMaxRead),
                                  static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    require(count >= 0, "{}: byte {}: reading failed: {}", name_, offset, std::strerror(errno));
    require(count > 0, "{}: byte {}: the file was shortened while it was read", name_, offset);
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

std::optional<std::string> read_if_regular(const std::filesystem::path& path, std::uint64_t limit) {
  try {
    const RegularFile file(path);
    if (file.size() > limit) return std::nullopt;
    std::string content(static_cast<std::size_t>(file.size()), '\0');
    file.read(0, std::as_writable_bytes(std::span(content)));
    return content;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

}  // namespace tenon

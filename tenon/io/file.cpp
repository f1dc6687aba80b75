#include "tenon/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>

#include "tenon/base/error.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  return folder.empty() ? "." : folder;
}

// Temporary files are ".NAME.0123456789abcdef.tmp": numbers of processes repeat, random ones do
// not.
constexpr std::size_t kRandomDigits = 16;
constexpr std::string_view kTemporaryEnd = ".tmp";

std::string temporary_start(const std::filesystem::path& target) {
  return fmt::format(".{}.", target.filename().string());
}

std::string temporary_name(const std::filesystem::path& target) {
  std::random_device random;
  return fmt::format("{}{:08x}{:08x}{}", temporary_start(target), random(), random(),
                     kTemporaryEnd);
}

bool is_temporary_name(std::string_view name, std::string_view start) {
  if (name.size() != start.size() + kRandomDigits + kTemporaryEnd.size()) return false;
  const std::string_view digits = name.substr(start.size(), kRandomDigits);
  return name.starts_with(start) && name.ends_with(kTemporaryEnd) &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  return ByteSource::open(path).read_all(limit);
}

std::string read_text_file(const std::filesystem::path& path, std::uint64_t limit) {
  const ByteSource source = ByteSource::open(path);
  require(source.size() <= limit, "{}: {} bytes, more than the limit of {}", source.name(),
          source.size(), limit);
  std::string text(static_cast<std::size_t>(source.size()), '\0');
  source.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

AtomicFile::AtomicFile(const std::filesystem::path& target) : target_(target) {
  require(target.has_filename(), "cannot write {}: it names no file",
          target.empty() ? std::string("a file with an empty name") : target.string());
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(target, error);
  require(!std::filesystem::exists(status) || std::filesystem::is_regular_file(status),
          "cannot write {}: it exists and is not a regular file", target.string());
  constexpr mode_t kMode = 0666;  // less the umask
  do {
    temporary_ = (folder_of(target) / temporary_name(target)).string();
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail("cannot write");
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::fail(std::string_view action) const {
  throw UserError(fmt::format("{} {}: {}", action, target_.string(), std::strerror(errno)));
}

void AtomicFile::discard() noexcept {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
  descriptor_ = -1;
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  check(descriptor_ >= 0, "AtomicFile::write after commit of {}", target_.string());
  constexpr std::size_t kMaxWrite = std::size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kMaxWrite));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  check(descriptor_ >= 0, "AtomicFile::commit twice on {}", target_.string());
  if (::fsync(descriptor_) != 0) fail("cannot flush");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot write");
  ::close(descriptor_);
  descriptor_ = -1;
  // The new name is durable only once the folder is; some file systems cannot flush folders.
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  const bool flushed = ::fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP;
  const int reason = errno;
  ::close(folder);
  errno = reason;
  if (!flushed) fail("cannot flush the folder of");
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

void require_writable(const std::filesystem::path& path) { const AtomicFile probe(path); }

void remove_temporaries(const std::filesystem::path& target) {
  const std::string start = temporary_start(target);
  std::error_code error;
  std::filesystem::directory_iterator entry(folder_of(target), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path path = entry->path();
    if (!is_temporary_name(path.filename().string(), start)) continue;
    require(::unlink(path.c_str()) == 0 || errno == ENOENT, "cannot remove {}: {}", path.string(),
            std::strerror(errno));
  }
}

bool file_exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

bool folder_exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

void make_folders(const std::filesystem::path& path) {
  require(!path.empty(), "cannot make a folder without a name: the path is empty");
  std::error_code error;
  std::filesystem::create_directories(path, error);
  require(folder_exists(path), "cannot make the folder {}: {}", path.string(),
          error ? error.message() : "a file has that name");
}

}  // namespace tenon::io

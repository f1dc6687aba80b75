// Whole files: bounded reading, and writing that leaves either the old content or the new.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::io {

inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 36;      // 64 GiB
inline constexpr std::uint64_t kMaxTextFileBytes = std::uint64_t{1} << 31;  // 2 GiB

// The content of a regular file. UserError if it cannot be read or is larger than `limit`.
std::vector<std::byte> read_file(const std::filesystem::path& path,
                                 std::uint64_t limit = kMaxFileBytes);
std::string read_text_file(const std::filesystem::path& path,
                           std::uint64_t limit = kMaxTextFileBytes);

// A file under a temporary name beside its target until commit(); removed if that is not reached.
// UserError naming the target if anything fails; the target is then untouched.
class AtomicFile {
 public:
  // Refuses a target that exists and is not a regular file.
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // Flushes to disk, renames over the target, flushes the folder. Call once, last.
  void commit();

 private:
  [[noreturn]] void fail(std::string_view action) const;
  void discard() noexcept;

  std::filesystem::path target_;
  std::string temporary_;
  int descriptor_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// For who will write the file later: UserError if that cannot be.
void require_writable(const std::filesystem::path& path);

// Removes the temporary files that killed writers of `target` left; nobody may be writing it now.
// UserError if one cannot be removed.
void remove_temporaries(const std::filesystem::path& target);

bool file_exists(const std::filesystem::path& path);    // a regular file, or a link to one
bool folder_exists(const std::filesystem::path& path);  // a folder, or a link to one

// Makes the folder and those above it; none is an error if it exists already.
void make_folders(const std::filesystem::path& path);

}  // namespace tenon::io

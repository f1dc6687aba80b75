// Folders that compilations work in: nobody clears one that is in use.
#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace tenon::backends {

// What names of such folders start with.
inline constexpr std::string_view kWorkPrefix = "tenon-work-";

// Holds a lock on a folder, if the file system has such a thing.
class FolderLock {
 public:
  // None if somebody else holds it all that time, or if there is no such folder.
  static std::optional<FolderLock> try_lock(const std::filesystem::path& folder,
                                            std::chrono::milliseconds patience = {});
  // Held by any number at once, while nobody holds the lock alone. None if somebody does for longer
  // than it takes, or if there is no such folder.
  static std::optional<FolderLock> share(const std::filesystem::path& folder);
  // Waits for it; none if there is no such folder any more.
  static std::optional<FolderLock> lock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  static std::optional<FolderLock> try_lock(const std::filesystem::path& folder, int kind,
                                            std::chrono::milliseconds patience);
  int descriptor_;
};

// A locked folder for one compilation. Its files stay unless remove() is called.
class WorkFolder {
 public:
  // A new one below `parent`, which is there; none, and the reason, if there cannot be one.
  static std::optional<WorkFolder> make(const std::filesystem::path& parent, std::string& reason);

  const std::filesystem::path& path() const { return path_; }
  // Why files of a few MiB cannot be written to it; empty if they can.
  std::string reason_against_writing() const;
  void remove();

 private:
  WorkFolder(std::filesystem::path path, FolderLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  FolderLock lock_;
};

// Removes the work folders that this process made and has not removed; for a process that is about
// to end while others of its threads compile.
void remove_own_work_folders();
// Whether there are such.
bool has_own_work_folders();

// Removes what processes of this user that were killed left in work folders below `parent`. A
// folder in use stays, and one that holds kFailureFile: what failed is kept to be looked at.
// Nothing is removed where the file system has no locks.
void remove_abandoned_work_folders(const std::filesystem::path& parent);
inline constexpr std::string_view kFailureFile = "error.txt";

}  // namespace tenon::backends

#include "tenon/backends/cpu/work_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace tenon::backends {

namespace fs = std::filesystem;

namespace {

// A failed compilation in a folder with less room than this failed for want of it.
constexpr off_t kRoomToCompile = off_t{4} << 20;

// Paths of the work folders that this process has made.
class OwnFolders {
 public:
  void add(const fs::path& path) {
    const std::lock_guard lock(mutex_);
    paths_.insert(path);
  }
  void forget(const fs::path& path) {
    const std::lock_guard lock(mutex_);
    paths_.erase(path);
  }
  void remove_all() {
    const std::lock_guard lock(mutex_);
    std::error_code ignored;
    for (const fs::path& path : paths_) fs::remove_all(path, ignored);
    paths_.clear();
  }
  bool is_empty() {
    const std::lock_guard lock(mutex_);
    return paths_.empty();
  }

 private:
  std::mutex mutex_;
  std::set<fs::path> paths_;
};

OwnFolders& own_folders() {
  static OwnFolders& folders = *new OwnFolders;  // threads may compile while statics are destroyed
  return folders;
}

// A folder, and no link to one; in a folder for all, others may be of other users.
bool is_own_folder(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid();
}

int open_folder(const fs::path& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace

std::optional<FolderLock> FolderLock::try_lock(const fs::path& folder,
                                               std::chrono::milliseconds patience) {
  return try_lock(folder, LOCK_EX, patience);
}

std::optional<FolderLock> FolderLock::share(const fs::path& folder) {
  constexpr std::chrono::milliseconds kPatience(1000);  // a holder may be stopped
  return try_lock(folder, LOCK_SH, kPatience);
}

std::optional<FolderLock> FolderLock::try_lock(const fs::path& folder, int kind,
                                               std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kStep(2);
  const int descriptor = open_folder(folder);
  if (descriptor < 0) return std::nullopt;
  FolderLock held(descriptor);
  // File systems without locks are used without.
  while (::flock(descriptor, kind | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
    if (patience < kStep) return std::nullopt;
    patience -= kStep;
    std::this_thread::sleep_for(kStep);
  }
  return held;
}

std::optional<FolderLock> FolderLock::lock(const fs::path& folder) {
  const int descriptor = open_folder(folder);
  if (descriptor < 0) return std::nullopt;
  FolderLock held(descriptor);
  while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
  }
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) return std::nullopt;  // removed by who held it
  return held;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

std::optional<WorkFolder> WorkFolder::make(const fs::path& parent, std::string& reason) {
  // Whoever clears the cache may be quicker than the lock, but not for ever.
  constexpr int kAttempts = 100;
  for (int i = 0; i < kAttempts; ++i) {
    std::string name = (parent / fmt::format("{}XXXXXX", kWorkPrefix)).string();
    if (::mkdtemp(name.data()) == nullptr) {
      reason = std::strerror(errno);
      return std::nullopt;
    }
    own_folders().add(name);
    if (auto lock = FolderLock::lock(name)) return WorkFolder(name, std::move(*lock));
    reason = "folders made there disappear";
    std::error_code ignored;
    fs::remove(name, ignored);
    own_folders().forget(name);
  }
  return std::nullopt;
}

std::string WorkFolder::reason_against_writing() const {
  const fs::path file = path_ / "room";
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::strerror(errno);
  const int error = ::posix_fallocate(descriptor, 0, kRoomToCompile);
  ::close(descriptor);
  ::unlink(file.c_str());
  return error == ENOSPC || error == EDQUOT || error == EFBIG ? std::strerror(error) : "";
}

void WorkFolder::remove() {
  // A compiler that has just been killed may have been about to make one more file.
  constexpr int kAttempts = 20;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  for (int i = 0; i < kAttempts && fs::exists(path_, ignored); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    fs::remove_all(path_, ignored);
  }
  own_folders().forget(path_);
}

void remove_own_work_folders() { own_folders().remove_all(); }
bool has_own_work_folders() { return !own_folders().is_empty(); }

void remove_abandoned_work_folders(const fs::path& parent) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator item(parent, error), end; !error && item != end;
       item.increment(error))
    if (item->path().filename().string().starts_with(kWorkPrefix)) found.push_back(item->path());
  for (const fs::path& path : found) {
    std::error_code ignored;
    if (!is_own_folder(path)) continue;
    const auto lock = FolderLock::try_lock(path);
    if (!lock || fs::exists(path / kFailureFile, ignored)) continue;
    if (FolderLock::try_lock(path)) return;  // locks keep nobody out
    fs::remove_all(path, ignored);
  }
}

}  // namespace tenon::backends

#include "tenon/backends/cpu/cache_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

#include "tenon/backends/cpu/work_folder.h"
#include "tenon/base/error.h"

namespace tenon::backends {

namespace fs = std::filesystem;

namespace {

// Without a slash at the end, which would follow a link.
fs::path plain_path(const fs::path& folder) {
  return (fs::absolute(folder) / "").lexically_normal().parent_path();
}

std::string reason_against_owner(const fs::path& folder) {
  struct stat above {
  }, own{};
  if (::stat(folder.parent_path().c_str(), &above) != 0 || (above.st_mode & S_IWOTH) == 0)
    return "";
  if (::lstat(folder.c_str(), &own) != 0) return "";  // not there
  if (!S_ISDIR(own.st_mode)) return "it is not a folder";
  if (own.st_uid != ::geteuid()) return "it belongs to another user";
  return (own.st_mode & (S_IWGRP | S_IWOTH)) == 0 ? "" : "others may write to it";
}

// Entries are named by 32 hexadecimal digits; kept sources by them too.
bool is_entry_name(const std::string& name) {
  return name.size() > 32 &&
         std::all_of(name.begin(), name.begin() + 32,
                     [](unsigned char c) { return std::isxdigit(c) != 0; }) &&
         (name[32] == '.' || name[32] == '_');
}

// Paths in the folder that satisfy a condition; those that come or go meanwhile may be missing.
std::vector<fs::path> paths_in(const fs::path& folder,
                               const std::function<bool(const fs::directory_entry&)>& is_wanted) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::directory_iterator item(folder, error);
  for (; !error && item != fs::directory_iterator(); item.increment(error))
    if (is_wanted(*item)) paths.push_back(item->path());
  return paths;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  return paths_in(folder, [](const fs::directory_entry& item) {
    std::error_code ignored;
    return item.symlink_status(ignored).type() == fs::file_type::regular;
  });
}

std::vector<fs::path> entry_files_in(const fs::path& folder) {
  std::vector<fs::path> files = files_in(folder);
  std::erase_if(files, [](const fs::path& file) { return !is_entry_name(file.filename()); });
  return files;
}

std::vector<fs::path> work_folders_in(const fs::path& folder) {
  return paths_in(folder, [](const fs::directory_entry& item) {
    std::error_code ignored;
    return item.symlink_status(ignored).type() == fs::file_type::directory &&
           item.path().filename().string().starts_with(kWorkPrefix);
  });
}

void count_file(const fs::path& path, CacheSummary& summary) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error) return;
  summary.files += 1;
  summary.bytes += static_cast<std::int64_t>(bytes);
}

void count_entry_file(const fs::path& path, CacheSummary& summary) {
  count_file(path, summary);
  if (path.extension() == ".so") summary.entries += 1;
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  require(!error, "cannot remove {}: {}", path.string(), error.message());
}

}  // namespace

std::string reason_against_cache(const fs::path& folder) {
  const fs::path path = plain_path(folder);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  constexpr mode_t kOwnerOnly = 0700;
  if (::mkdir(path.c_str(), kOwnerOnly) != 0 && errno != EEXIST) return std::strerror(errno);
  return reason_against_owner(path);
}

CacheSummary cache_entries(const fs::path& folder) {
  CacheSummary summary;
  if (!reason_against_owner(plain_path(folder)).empty()) return summary;
  for (const fs::path& file : entry_files_in(folder)) count_entry_file(file, summary);
  for (const fs::path& work : work_folders_in(folder))
    for (const fs::path& file : files_in(work)) count_file(file, summary);
  return summary;
}

CacheSummary clear_cache(const fs::path& folder) {
  CacheSummary removed;
  if (!reason_against_owner(plain_path(folder)).empty()) return removed;
  for (const fs::path& file : entry_files_in(folder)) {
    count_entry_file(file, removed);
    remove_file(file);
  }
  for (const fs::path& work : work_folders_in(folder)) {
    const auto lock = FolderLock::try_lock(work);
    if (!lock) continue;  // a compilation runs there
    for (const fs::path& file : files_in(work)) {
      count_file(file, removed);
      remove_file(file);
    }
    std::error_code ignored;
    fs::remove(work, ignored);
  }
  return removed;
}

}  // namespace tenon::backends

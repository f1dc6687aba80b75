#include "tenon/backends/cpu/cache_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tenon/backends/cpu/work_folder.h"
#include "tenon/base/error.h"

namespace tenon::backends {

namespace fs = std::filesystem;

namespace {

// Entries are loaded in milliseconds; who trims can wait for that, or leave it to the next.
constexpr std::chrono::milliseconds kTrimPatience(100);

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

// What goes together: the files of one entry, or a folder of a compilation.
struct Item {
  std::vector<fs::path> files;
  fs::path work;  // empty: an entry
  fs::file_time_type last_use = fs::file_time_type::min();
  std::int64_t bytes = 0;
};

constexpr std::size_t kNameLength = 32;

std::map<std::string, Item> items_in(const fs::path& folder) {
  std::map<std::string, Item> items;
  const auto add = [](Item& item, const fs::path& file, bool tells_use) {
    std::error_code error;
    const auto bytes = fs::file_size(file, error);
    if (error) return;
    item.files.push_back(file);
    item.bytes += static_cast<std::int64_t>(bytes);
    const auto time = fs::last_write_time(file, error);
    if (!error && tells_use) item.last_use = std::max(item.last_use, time);
  };
  for (const fs::path& file : entry_files_in(folder))
    add(items[file.filename().string().substr(0, kNameLength)], file,
        file.extension() == ".so" || file.extension() == ".plan");
  for (const fs::path& work : work_folders_in(folder)) {
    Item& item = items[work.filename()];
    item.work = work;
    for (const fs::path& file : files_in(work)) add(item, file, true);
  }
  return items;
}

// Nothing that fails here is worth an error: the folder is a little larger.
void remove_item(const Item& item, CacheSummary& removed) {
  const auto lock = item.work.empty() ? std::nullopt : FolderLock::try_lock(item.work);
  if (!item.work.empty() && !lock) return;  // in use
  for (const fs::path& file : item.files) {
    CacheSummary counted = removed;
    item.work.empty() ? count_entry_file(file, counted) : count_file(file, counted);
    std::error_code error;
    if (fs::remove(file, error)) removed = counted;
  }
  std::error_code ignored;
  if (!item.work.empty()) fs::remove(item.work, ignored);
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

void mark_as_used(const fs::path& entry) { ::utimensat(AT_FDCWD, entry.c_str(), nullptr, 0); }

CacheSummary trim_cache(const fs::path& folder, std::int64_t limit, const std::string& kept) {
  CacheSummary removed;
  const auto sum = [](const std::map<std::string, Item>& items) {
    std::int64_t bytes = 0;
    for (const auto& [name, item] : items) bytes += item.bytes;
    return bytes;
  };
  if (sum(items_in(folder)) <= limit) return removed;
  const auto nobody_loads = FolderLock::try_lock(folder, kTrimPatience);
  if (!nobody_loads) return removed;  // whoever compiles next trims
  const std::map<std::string, Item> items = items_in(folder);
  std::vector<const Item*> order;
  for (const auto& [name, item] : items)
    if (name != kept) order.push_back(&item);
  std::ranges::stable_sort(order, {}, &Item::last_use);
  std::int64_t bytes = sum(items);
  for (const Item* item : order) {
    if (bytes <= limit / 4 * 3) break;
    const std::int64_t before = removed.bytes;
    remove_item(*item, removed);
    bytes -= removed.bytes - before;
  }
  return removed;
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

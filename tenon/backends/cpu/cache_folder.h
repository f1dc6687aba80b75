// The folder of compiled code: whether it may be used, what it holds, and clearing it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace tenon::backends {

// Makes the folder, for its owner alone, unless it is there. Why it cannot be used, or empty: a
// folder below one that everybody may write to (like /tmp) could be anybody's, so it must belong
// to this user and be writable to nobody else.
std::string reason_against_cache(const std::filesystem::path& folder);

struct CacheSummary {
  std::int64_t entries = 0;  // compiled steps
  std::int64_t files = 0;    // of which, what was kept beside them, and unfinished ones
  std::int64_t bytes = 0;
};

// What the folder holds of Tenon's; other files are not counted and never removed.
CacheSummary cache_entries(const std::filesystem::path& folder);
// The time of an entry's last use is that of its file. Of no effect in a folder that cannot be
// written.
void mark_as_used(const std::filesystem::path& entry);
// Where the folder holds more than `limit` bytes, removes entries, with what was kept beside them,
// and folders of compilations that have ended: those used longest ago first, until it holds three
// quarters of that. The entry `kept` stays, and while another thread or process loads an entry
// (FolderLock::share) nothing is removed; what cannot be removed stays.
CacheSummary trim_cache(const std::filesystem::path& folder, std::int64_t limit,
                        const std::string& kept);

// Removes it and says what was removed. Code in use stays in memory; folders that compilations work
// in at this moment stay. UserError if a file cannot be removed.
CacheSummary clear_cache(const std::filesystem::path& folder);

}  // namespace tenon::backends

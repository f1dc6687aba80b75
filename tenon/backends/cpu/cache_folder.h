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
// Removes it and says what was removed. Code in use stays in memory; folders that compilations work
// in at this moment stay. UserError if a file cannot be removed.
CacheSummary clear_cache(const std::filesystem::path& folder);

}  // namespace tenon::backends

// Compiled code on disk: found by what it was made from, checked before it is loaded.
#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "tenon/backends/cpu/compiler.h"
#include "tenon/backends/cpu/library.h"

namespace tenon::backends {

struct BuiltCode {
  std::unique_ptr<Library> library;
  bool was_cached = false;
  double compiler_seconds = 0;  // in the compiler; 0 if cached
};

// The library for these C texts: from the cache folder if a sound one is there, else compiled and
// put there. The name of an entry hashes texts, compiler, flags and processor. Entries appear by
// renaming, so several processes may share a folder; a damaged entry is made again. If the folder
// cannot be written, compiles into a temporary one. `log` gets a line about the last two cases.
// BackendError if there is no compiler or it fails; source and command then stay on disk.
BuiltCode build_code(const std::vector<std::string>& sources, const std::filesystem::path& folder,
                     const std::function<void(std::string_view)>& log);

struct CacheSummary {
  std::int64_t entries = 0;  // compiled steps
  std::int64_t files = 0;    // of which and what was kept beside them
  std::int64_t bytes = 0;
};

// What the folder holds of Tenon's; other files are not counted and never removed.
CacheSummary cache_entries(const std::filesystem::path& folder);
// Removes it and says what was removed. Code in use stays in memory. UserError if a file cannot
// be removed.
CacheSummary clear_cache(const std::filesystem::path& folder);

}  // namespace tenon::backends

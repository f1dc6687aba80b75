// Compiled code on disk: found by what it was made from, checked before it is loaded.
#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "tenon/backends/cpu/cache_folder.h"
#include "tenon/backends/cpu/compiler.h"
#include "tenon/backends/cpu/library.h"
#include "tenon/base/cpu_info.h"

namespace tenon::backends {

// The name of an entry: what code is made from, and for. One of another name is never loaded.
std::string entry_name(const std::vector<std::string>& sources, const Compiler& compiler,
                       const std::vector<std::string>& flags, const CpuInfo& processor);

struct BuiltCode {
  std::unique_ptr<Library> library;
  bool was_cached = false;
  double compiler_seconds = 0;  // in the compiler; 0 if cached
  std::string entry;            // its name in the folder; empty if it is not kept there
};

// Compiler, flags and processor: all but the texts that decides what code is.
std::string compile_identity(const Compiler& compiler, const std::vector<std::string>& flags,
                             const CpuInfo& processor);

// The library for these C texts: from the cache folder if a sound one is there, else compiled and
// put there; the entries used longest ago go when the folder holds more than it may
// (environment::cache_mib). Entries appear by renaming, so several processes may share a folder; a
// damaged entry, or one made for another name, is made again. If the folder
// cannot be used (see reason_against_cache; or it cannot be written, or is full), compiles into a
// temporary one; if code cannot be loaded from it, loads a copy. `log` gets one line about each of
// these. BackendError if there is no compiler or it fails; source and command then stay on disk.
BuiltCode build_code(const std::vector<std::string>& sources, const std::filesystem::path& folder,
                     const std::function<void(std::string_view)>& log);

// The library of an entry that build_code has named; null if the folder may not be used or holds no
// sound one.
std::unique_ptr<Library> load_code(const std::string& entry, const std::filesystem::path& folder,
                                   const std::function<void(std::string_view)>& log);

}  // namespace tenon::backends

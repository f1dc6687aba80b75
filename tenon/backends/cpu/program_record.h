// What planning a graph found, kept beside its code: a later start need not plan it again.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tenon/backends/cpu/compiler.h"
#include "tenon/lower/region.h"

namespace tenon::backends {

struct ProgramRecord {
  std::string code;                       // BuiltCode::entry
  std::int64_t arena = 0, constants = 0;  // of the MemoryReport
  std::int64_t kernels = 0;
  bool uses_threads = false;
  bool operator==(const ProgramRecord&) const = default;
};

// Hashes all that decides what a graph becomes: its digest (ir::digest), this build of Tenon, the
// target, compiler, flags (common_flags) and processor. Empty, and then nothing may be recorded, if
// the build has no build ID: code that plans otherwise could not be told from this.
std::string record_name(const std::string& digest, const lower::Target& target,
                        const Compiler& compiler);

// None unless the folder, which may be used (reason_against_cache), holds a sound record made for
// this very name.
std::optional<ProgramRecord> read_record(const std::filesystem::path& folder,
                                         const std::string& name);
// Appears whole or not at all; a folder that cannot be written stays without it.
void write_record(const std::filesystem::path& folder, const std::string& name,
                  const ProgramRecord& record);

}  // namespace tenon::backends

// Environment variables: the one place that reads them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tenon::environment {

// Where compiled code is kept: TENON_CACHE_DIR, else XDG_CACHE_HOME/tenon, else HOME/.cache/tenon,
// else a folder named after the user below the temporary folder. It may not exist yet.
std::filesystem::path cache_folder();

// The C compiler to use, from TENON_CC (a path, or a name to look up in PATH).
std::optional<std::string> compiler();

// How long one run of the C compiler may take, in seconds, from TENON_COMPILE_SECONDS; 600 if it is
// not set. UserError unless it is a whole number from 1 to 86400.
int compile_seconds();

// How many MiB the folder of compiled code may hold, from TENON_CACHE_MIB; 1024 if it is not set.
// UserError unless it is a whole number from 1 to 1048576.
std::int64_t cache_mib();

// Threads that compiled steps use, from TENON_THREADS; none if it is not set.
// UserError unless it is a whole number from 1 to 1024.
std::optional<int> threads();
// `asked` if that is above 0, else threads(), else the cores this process may use.
int thread_count(int asked);

// The widest vectors that compiled code may use, in bytes, from TENON_VECTOR_BYTES: 32 keeps code
// to AVX2 on a processor with AVX-512. UserError unless it is 32 or 64; 64 if it is not set.
std::int64_t vector_bytes();

// TENON_KEEP_SOURCE is set and not "0": generated sources stay beside the compiled code.
bool keep_source();

// TMPDIR, else /tmp.
std::filesystem::path temporary_folder();

// The folders of PATH, in order.
std::vector<std::filesystem::path> program_folders();

}  // namespace tenon::environment

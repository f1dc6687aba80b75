// The system's C compiler: found, named exactly, and run.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace tenon::backends {

struct Compiler {
  std::filesystem::path path;
  std::string version;  // first line of --version
  std::string file{};   // its size and time of change: another may have the same path and version
};

// TENON_CC, or the first of cc, gcc and clang in PATH. BackendError saying what to install.
Compiler find_compiler();

// How generated C is compiled: optimised for this processor (within TENON_VECTOR_BYTES), without
// libm, and without any licence to change results; short texts are optimised more than long ones.
std::vector<std::string> compiler_flags(const Compiler& compiler,
                                        const std::vector<std::string>& sources);
// Those of these flags that no text decides.
std::vector<std::string> common_flags(const Compiler& compiler);

// Compiles C texts into one shared library `folder`/step.so; several texts compile side by side.
// The texts stay in the folder, where the compilers have their temporary files too. BackendError
// naming source and command, with what the compiler printed. Once it is interrupted
// (base/interruption.h) no compiler runs any more.
struct Compilation {
  std::filesystem::path library;
  std::vector<std::vector<std::string>> commands;
};
Compilation compile_sources(const Compiler& compiler, const std::vector<std::string>& sources,
                            const std::filesystem::path& folder);

}  // namespace tenon::backends

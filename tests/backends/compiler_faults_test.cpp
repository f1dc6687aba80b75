// Compilers that are killed, hang, or find no room; code that was made for something else.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tenon/backends/cpu/code_cache.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

namespace fs = std::filesystem;

std::string source_of(int answer) {
  return fmt::format("__attribute__((visibility(\"default\"))) int answer(void) {{ return {}; }}\n",
                     answer);
}

class CompilerFaults : public testing::Test {
 protected:
  BuiltCode build(int number = 42) {
    return build_code({source_of(number)}, cache_,
                      [this](std::string_view line) { log_.emplace_back(line); });
  }
  static int answer(const BuiltCode& code) {
    return reinterpret_cast<int (*)()>(code.library->symbol("answer"))();
  }
  // The message of building with a compiler that does this when it is not asked for its version.
  std::string message_with(const std::string& commands, const std::string& version = "echo test") {
    const fs::path script = folder_.path() / "compiler";
    std::ofstream(script) << "#!/bin/sh\n[ \"$1\" = --version ] && { " << version << "; exit 0; }\n"
                          << commands << "\n";
    fs::permissions(script, fs::perms::owner_all);
    const ScopedVariable compiler("TENON_CC", script.c_str());
    return error_of<BackendError>([&] { build(); });
  }
  fs::path entry_of(int number) const {
    const std::vector<std::string> sources = {source_of(number)};
    const Compiler compiler = find_compiler();
    return cache_ /
           (entry_name(sources, compiler, compiler_flags(compiler, sources), cpu_info()) + ".so");
  }

  TemporaryFolder folder_;
  const fs::path cache_ = folder_.path() / "cache";
  std::vector<std::string> log_;
};

constexpr std::string_view kMemoryHelp =
    "\n  help: systems kill programs when memory runs out; end others that use much of it";

TEST_F(CompilerFaults, KilledBySignal) {
  const std::string message = message_with("kill -9 $$");
  EXPECT_TRUE(message.starts_with("the C compiler was killed by signal 9 (Killed)\n  source: "))
      << message;
  EXPECT_TRUE(message.ends_with(kMemoryHelp)) << message;
  const std::string crash = message_with("kill -SEGV $$");
  EXPECT_TRUE(crash.starts_with("the C compiler was killed by signal 11 (Segmentation fault)"))
      << crash;
  EXPECT_FALSE(crash.ends_with(kMemoryHelp)) << crash;
}

TEST_F(CompilerFaults, KilledPartOfACompiler) {
  const std::string message =
      message_with("echo 'gcc: fatal error: Killed signal terminated program cc1'; exit 1");
  EXPECT_TRUE(message.starts_with("the C compiler failed with status 1\n")) << message;
  EXPECT_TRUE(message.ends_with(kMemoryHelp)) << message;
}

TEST_F(CompilerFaults, OutOfMemory) {
  const std::string message = message_with("ulimit -v 30000; exec cc \"$@\"");
  EXPECT_TRUE(message.starts_with("the C compiler ")) << message;
  EXPECT_NE(message.find("\n  command: "), std::string::npos) << message;
}

TEST_F(CompilerFaults, Hangs) {
  const ScopedVariable limit("TENON_COMPILE_SECONDS", "1");
  const std::string message = message_with("sleep 100");
  EXPECT_TRUE(message.starts_with("the C compiler did not end within 1 s\n  source: ")) << message;
  EXPECT_TRUE(message.ends_with("\n  help: TENON_COMPILE_SECONDS sets the limit")) << message;
  const std::string version = message_with("exit 0", "sleep 100");
  EXPECT_NE(version.find("--version did not end within 1 s: it is not a working C compiler"),
            std::string::npos)
      << version;
}

TEST_F(CompilerFaults, WhatTheLinkerMakesIsNoLibrary) {
  const std::string message =
      message_with("while [ \"$1\" != -o ]; do shift; done; echo garbage > \"$2\"");
  EXPECT_TRUE(message.starts_with("what the C compiler made is no library: cannot load "))
      << message;
  EXPECT_NE(message.find("\n  source: "), std::string::npos) << message;
  EXPECT_NE(message.find("/compiler -std=gnu11 "), std::string::npos) << message;
  EXPECT_NE(message.find("\n  help: the compiler or its linker is broken"), std::string::npos)
      << message;
}

// Where no file may grow: as on a full disk, for whoever may mount nothing.
TEST_F(CompilerFaults, NoRoomForFiles) {
  build();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_FSIZE, &none);
    std::string text;
    try {
      text = fmt::format("{} {}\n", answer(build()), build().was_cached);  // what is there works
      build(43);
    } catch (const BackendError& error) {
      text += error.what();
    }
    _exit(text.starts_with("42 true\ncannot write ") && text.ends_with(": File too large") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// Names of entries are made of these flags: no other says how much a single text is optimised.
TEST_F(CompilerFaults, TextsAreCompiledWithTheFlagsThatNamesTell) {
  const Compiler compiler = find_compiler();
  const std::vector<std::string> little = {source_of(1)};
  const std::vector<std::string> much = {source_of(1) + std::string(100'000, '\n')};
  EXPECT_NE(compiler_flags(compiler, little), compiler_flags(compiler, much));
  for (const std::vector<std::string>& sources : {little, much}) {
    const std::vector<std::string> flags = compiler_flags(compiler, sources);
    const std::vector<std::string> command =
        compile_sources(compiler, sources, folder_.path()).commands.front();
    ASSERT_GT(command.size(), flags.size());
    EXPECT_TRUE(std::equal(flags.begin(), flags.end(), command.begin() + 1));
    EXPECT_EQ(
        std::ranges::count_if(command, [](const auto& word) { return word.starts_with("-O"); }), 1);
  }
}

// A name says what code is made from and for; code of another name is not loaded.
TEST_F(CompilerFaults, CodeForSomethingElseIsNotLoaded) {
  const Compiler compiler{"/usr/bin/cc", "cc 1", "1000 7"};
  const CpuInfo processor{.model = "A", .flags = "avx2 fma"};
  const auto name = [&](const std::vector<std::string>& sources, const Compiler& by,
                        const std::vector<std::string>& flags,
                        const CpuInfo& where) { return entry_name(sources, by, flags, where); };
  const std::string usual = name({"a", "b"}, compiler, {"-O3"}, processor);
  EXPECT_EQ(name({"a", "b"}, compiler, {"-O3"}, processor), usual);
  CpuInfo other_model = processor, fewer_flags = processor;
  other_model.model = "B";
  fewer_flags.flags = "avx2";
  for (const std::string& other :
       {name({"a", "c"}, compiler, {"-O3"}, processor), name({"ab"}, compiler, {"-O3"}, processor),
        name({"a", "b"}, {"/usr/bin/gcc", "cc 1"}, {"-O3"}, processor),
        name({"a", "b"}, {"/usr/bin/cc", "cc 2"}, {"-O3"}, processor),
        name({"a", "b"}, compiler, {"-O2"}, processor),
        name({"a", "b"}, compiler, {"-O3"}, other_model),
        name({"a", "b"}, compiler, {"-O3"}, fewer_flags)})
    EXPECT_NE(other, usual);

  build(1);
  build(2);
  ASSERT_TRUE(fs::exists(entry_of(1)) && fs::exists(entry_of(2)));
  fs::copy_file(entry_of(1), entry_of(2), fs::copy_options::overwrite_existing);
  const BuiltCode code = build(2);
  EXPECT_FALSE(code.was_cached);
  EXPECT_EQ(answer(code), 2);
  EXPECT_EQ(log_, (std::vector<std::string>{fmt::format(
                      "cached code {} is damaged and is compiled again", entry_of(2).string())}));
}

}  // namespace
}  // namespace tenon::backends

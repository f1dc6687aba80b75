#include "tenon/backends/cpu/code_cache.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

namespace fs = std::filesystem;

const std::string kAnswer =
    "__attribute__((visibility(\"default\"))) int answer(void) { return 42; }\n";

class CodeCache : public testing::Test {
 protected:
  BuiltCode build(const std::vector<std::string>& sources) {
    return build_code(sources, folder_.path() / "cache",
                      [this](std::string_view line) { log_.emplace_back(line); });
  }
  BuiltCode build() { return build({kAnswer}); }
  static int answer(const BuiltCode& code) {
    return reinterpret_cast<int (*)()>(code.library->symbol("answer"))();
  }
  fs::path entry() const {
    fs::path found;
    for (const auto& item : fs::directory_iterator(folder_.path() / "cache"))
      if (item.path().extension() == ".so") found = item.path();
    return found;
  }
  void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  fs::path write_script(const std::string& text) {
    const fs::path path = folder_.path() / "compiler";
    write(path, "#!/bin/sh\n" + text);
    chmod(path.c_str(), 0755);
    return path;
  }

  TemporaryFolder folder_;
  std::vector<std::string> log_;
};

TEST_F(CodeCache, SecondTimeComesFromDisk) {
  const BuiltCode first = build();
  EXPECT_FALSE(first.was_cached);
  EXPECT_GT(first.compiler_seconds, 0);
  EXPECT_EQ(answer(first), 42);
  const BuiltCode second = build();
  EXPECT_TRUE(second.was_cached);
  EXPECT_EQ(second.compiler_seconds, 0);
  EXPECT_EQ(answer(second), 42);
  EXPECT_FALSE(build({kAnswer + "// other"}).was_cached);
  EXPECT_EQ(log_, std::vector<std::string>());
}

TEST_F(CodeCache, DamagedEntriesAreMadeAgain) {
  for (const bool truncate : {true, false}) {
    build();
    const fs::path path = entry();
    if (truncate) {
      fs::resize_file(path, fs::file_size(path) / 2);
    } else {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(5000);
      file.put('\x55');
    }
    log_.clear();
    const BuiltCode again = build();
    EXPECT_FALSE(again.was_cached);
    EXPECT_EQ(answer(again), 42);
    EXPECT_EQ(log_, (std::vector<std::string>{fmt::format(
                        "cached code {} is damaged and is compiled again", path.string())}));
    EXPECT_TRUE(build().was_cached);
  }
}

TEST_F(CodeCache, EmptyEntryIsMadeAgain) {
  build();
  write(entry(), "");
  EXPECT_FALSE(build().was_cached);
}

TEST_F(CodeCache, FolderThatCannotBeWritten) {
  write(folder_.path() / "cache", "a file");
  const BuiltCode code = build();
  EXPECT_FALSE(code.was_cached);
  EXPECT_EQ(answer(code), 42);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_EQ(log_[0], fmt::format("the cache folder {} cannot be used (Not a directory): this step "
                                 "will be compiled again next time",
                                 (folder_.path() / "cache").string()));
}

TEST_F(CodeCache, WhatWasLeftInTheOtherFolderIsRemoved) {
  const fs::path other = folder_.path() / "tmp", left = other / "tenon-work-abandoned";
  fs::create_directories(left);
  write(left / "step.c", "in work");
  write(folder_.path() / "cache", "a file");
  ScopedVariable temporary("TMPDIR", other.c_str());
  EXPECT_EQ(answer(build()), 42);
  EXPECT_TRUE(fs::is_empty(other));
}

TEST_F(CodeCache, NeitherFolderCanBeWritten) {
  write(folder_.path() / "cache", "a file");
  const std::string bad = (folder_.path() / "cache" / "tmp").string();
  ScopedVariable temporary("TMPDIR", bad.c_str());
  EXPECT_EQ(error_of<BackendError>([&] { build(); }),
            fmt::format("neither {} nor {} can be written: Not a directory\n  help: set "
                        "TENON_CACHE_DIR to a folder for compiled code",
                        (folder_.path() / "cache").string(), bad));
}

TEST_F(CodeCache, SeveralFilesAreLinked) {
  const BuiltCode code =
      build({"int half(void);\n__attribute__((visibility(\"default\"))) "
             "int answer(void) { return 2 * half(); }\n",
             "static int h(void) { return 21; }\n"
             "int half(void) __attribute__((alias(\"h\")));\n"});
  EXPECT_EQ(answer(code), 42);
}

TEST_F(CodeCache, ManyProcessesAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool good = false;
      try {
        good = answer(build()) == 42;
      } catch (...) {
      }
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_TRUE(build().was_cached);
  EXPECT_EQ(cache_entries(folder_.path() / "cache").entries, 1);
  EXPECT_EQ(cache_entries(folder_.path() / "cache").files, 1);
}

TEST_F(CodeCache, ClearingDoesNotDisturbCompilations) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool good = true;
      try {
        for (int k = 0; k < 4; ++k)
          good = good && answer(build({fmt::format("{}// {} {}", kAnswer, i, k)})) == 42;
      } catch (...) {
        good = false;
      }
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) clear_cache(folder_.path() / "cache");
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

TEST_F(CodeCache, OtherThingsUnderAnEntrysName) {
  build();
  const fs::path path = entry();
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(build().was_cached);  // without waiting for a writer
  EXPECT_TRUE(build().was_cached);
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_EQ(log_, std::vector<std::string>());
  EXPECT_EQ(answer(build()), 42);
  EXPECT_EQ(log_, (std::vector<std::string>{
                      fmt::format("compiled code cannot be kept as {} (Is a directory): this step "
                                  "will be compiled again next time",
                                  path.string())}));
}

TEST_F(CodeCache, NewFolderIsForItsOwnerAlone) {
  build();
  EXPECT_EQ(fs::status(folder_.path() / "cache").permissions(), fs::perms::owner_all);
}

// As /tmp/tenon-1000, which anybody may have made.
TEST_F(CodeCache, FolderThatMayBeAnothersIsNotUsed) {
  build();
  const fs::path shared = folder_.path() / "shared", cache = shared / "cache";
  const auto refused = [&](const char* reason) {
    log_.clear();
    const BuiltCode code =
        build_code({kAnswer}, cache, [this](std::string_view line) { log_.emplace_back(line); });
    EXPECT_FALSE(code.was_cached);
    EXPECT_EQ(answer(code), 42);
    EXPECT_EQ(log_, (std::vector<std::string>{
                        fmt::format("the cache folder {} cannot be used ({}): this step will be "
                                    "compiled again next time",
                                    cache.string(), reason)}));
    EXPECT_EQ(cache_entries(cache).files, 0);
    EXPECT_EQ(clear_cache(cache).files, 0);
  };
  fs::create_directory(shared);
  fs::permissions(shared, fs::perms::all);
  fs::copy(folder_.path() / "cache", cache);
  const auto all_but_others = fs::perms::all & ~fs::perms::others_write;
  fs::permissions(cache, all_but_others);
  refused("others may write to it");
  fs::permissions(cache, fs::perms::all & ~fs::perms::group_write);
  refused("others may write to it");
  fs::permissions(cache, all_but_others & ~fs::perms::group_write);
  EXPECT_TRUE(build_code({kAnswer}, cache, nullptr).was_cached);
  EXPECT_EQ(cache_entries(cache).entries, 1);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(cache.c_str(), 1, 1), 0);
    refused("it belongs to another user");
  }
  fs::remove_all(cache);
  fs::create_directory_symlink(folder_.path() / "cache", cache);
  refused("it is not a folder");
}

// The log of building in a cache folder on a file system of its own, in a process of its own.
class MountedCache : public CodeCache {
 protected:
  // "not permitted" if nothing can be mounted.
  std::string log_with(const char* options, unsigned long flags) {
    const fs::path cache = folder_.path() / "cache", result = folder_.path() / "result";
    fs::create_directories(cache);
    fs::remove(result);
    const uid_t user = geteuid();
    const pid_t child = fork();
    if (child == 0) {
      std::string text = "not permitted";
      if (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
        std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        if (mount("tmpfs", cache.c_str(), "tmpfs", flags, options) == 0) text = built_twice();
      }
      write(result, text);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    std::ifstream file(result);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::string built_twice() {
    std::string text;
    try {
      for (int i = 0; i < 2; ++i) {
        const BuiltCode code = build();
        text += fmt::format("{} {}\n", answer(code), code.was_cached);
      }
    } catch (const std::exception& error) {
      text += error.what();
    }
    for (const std::string& line : log_) text += line + '\n';
    return text;
  }
};

TEST_F(MountedCache, FullFolderIsDoneWithout) {
  const std::string log = log_with("size=8k", 0);
  if (log == "not permitted") GTEST_SKIP() << "nothing may be mounted here";
  const std::string line = fmt::format(
      "the cache folder {} cannot be used (No space left on device): this step will be compiled "
      "again next time\n",
      (folder_.path() / "cache").string());
  EXPECT_EQ(log, "42 false\n42 false\n" + line + line);
}

TEST_F(MountedCache, ReadOnlyFolderIsDoneWithout) {
  const std::string log = log_with("", MS_RDONLY);
  if (log == "not permitted") GTEST_SKIP() << "nothing may be mounted here";
  const std::string line = fmt::format(
      "the cache folder {} cannot be used (Read-only file system): this step will be compiled "
      "again next time\n",
      (folder_.path() / "cache").string());
  EXPECT_EQ(log, "42 false\n42 false\n" + line + line);
}

TEST_F(MountedCache, FullEverywhereIsAnError) {
  const ScopedVariable temporary("TMPDIR", (folder_.path() / "cache").c_str());
  const std::string log = log_with("size=8k", 0);
  if (log == "not permitted") GTEST_SKIP() << "nothing may be mounted here";
  EXPECT_NE(log.find("No space left on device"), std::string::npos) << log;
  EXPECT_EQ(log.find("42"), std::string::npos) << log;
}

TEST_F(MountedCache, CodeIsLoadedFromACopyWhereTheFolderForbidsToRunIt) {
  const std::string log = log_with("", MS_NOEXEC);
  if (log == "not permitted") GTEST_SKIP() << "nothing may be mounted here";
  EXPECT_TRUE(log.starts_with("42 false\n42 true\ncannot load ")) << log;
  EXPECT_TRUE(log.ends_with(
      fmt::format(": a copy in {} is loaded instead\n", fs::temp_directory_path().string())))
      << log;
  EXPECT_EQ(std::ranges::count(log, '\n'), 4) << log;
}

TEST_F(CodeCache, MissingCompiler) {
  ScopedVariable compiler("TENON_CC", "/nonexistent");
  EXPECT_EQ(error_of<BackendError>([&] { build(); }),
            "TENON_CC is \"/nonexistent\", which is not a program that can be run\n"
            "  help: install one (on Debian: apt-get install gcc), or set TENON_CC to its path");
  ScopedVariable unset("TENON_CC", nullptr), path("PATH", folder_.path().c_str());
  EXPECT_EQ(error_of<BackendError>([&] { build(); }),
            "no C compiler: none of cc, gcc and clang is in PATH; device \"cpu\" compiles each "
            "step with one\n"
            "  help: install one (on Debian: apt-get install gcc), or set TENON_CC to its path");
}

TEST_F(CodeCache, CompilerThatDoesNotWork) {
  const fs::path script = write_script("exit 7\n");
  ScopedVariable compiler("TENON_CC", script.c_str());
  EXPECT_EQ(error_of<BackendError>([&] { build(); }),
            fmt::format("{} --version ended with status 7: it is not a working C compiler\n"
                        "  help: install one (on Debian: apt-get install gcc), or set TENON_CC to "
                        "its path",
                        script.string()));
}

TEST_F(CodeCache, CompilerThatFailsLeavesItsSource) {
  const std::string message = error_of<BackendError>([&] { build({"int x = nothing;\n"}); });
  EXPECT_TRUE(message.starts_with("the C compiler failed with status 1\n  source: ")) << message;
  EXPECT_NE(message.find("\n  command: "), std::string::npos);
  EXPECT_NE(message.find("nothing"), std::string::npos);
  const std::size_t begin = message.find("source: ") + 8;
  const fs::path source = message.substr(begin, message.find('\n', begin) - begin);
  std::ifstream file(source);
  std::string text;
  std::getline(file, text);
  EXPECT_EQ(text, "int x = nothing;");
  // The printed command, run by hand, fails in the same way.
  const std::size_t command = message.find("command: ") + 9;
  const std::string line = message.substr(command, message.find('\n', command) - command);
  EXPECT_NE(std::system((line + " 2>/dev/null").c_str()), 0);
}

TEST_F(CodeCache, CompilerThatClaimsSuccessWithoutAFile) {
  const fs::path script = write_script("echo tenon test compiler\nexit 0\n");
  ScopedVariable compiler("TENON_CC", script.c_str());
  const std::string message = error_of<BackendError>([&] { build(); });
  EXPECT_TRUE(message.starts_with("the C compiler made no file\n  source: ")) << message;
}

TEST_F(CodeCache, AnotherCompilerIsAnotherEntry) {
  build();
  const fs::path script = write_script(
      "[ \"$1\" = --version ] && echo tenon test compiler && exit 0\nexec cc \"$@\"\n");
  ScopedVariable compiler("TENON_CC", script.c_str());
  EXPECT_FALSE(build().was_cached);
  EXPECT_EQ(cache_entries(folder_.path() / "cache").entries, 2);
}

TEST_F(CodeCache, ACompilerThatChangesUnderItsNameIsAnother) {
  const auto write_compiler = [&](std::string_view options) {
    return write_script(fmt::format(
        "[ \"$1\" = --version ] && echo tenon test compiler && exit 0\nexec cc \"$@\" {}\n",
        options));
  };
  const fs::path script = write_compiler("");
  ScopedVariable compiler("TENON_CC", script.c_str());
  EXPECT_FALSE(build().was_cached);
  EXPECT_TRUE(build().was_cached);
  write_compiler("-O1");
  EXPECT_FALSE(build().was_cached);
}

TEST_F(CodeCache, KeepsSourcesOnRequestAndClears) {
  const fs::path cache = folder_.path() / "cache";
  ScopedVariable keep("TENON_KEEP_SOURCE", "1");
  build();
  const fs::path source = fs::path(entry()).replace_extension(".c");
  EXPECT_TRUE(fs::exists(source));
  EXPECT_TRUE(fs::exists(fs::path(entry()).replace_extension(".txt")));
  write(cache / "mine.so", "not an entry");
  fs::create_directory(cache / "tenon-work-abcdef");
  write(cache / "tenon-work-abcdef" / "step.c", "left over");
  write(cache / "tenon-work-abcdef" / "step.so", "not a step yet");
  const CacheSummary held = cache_entries(cache);
  EXPECT_EQ(held.entries, 1);
  EXPECT_EQ(held.files, 5);
  EXPECT_GT(held.bytes, 1000);
  const CacheSummary removed = clear_cache(cache);
  EXPECT_EQ(removed.entries, held.entries);
  EXPECT_EQ(removed.files, held.files);
  EXPECT_EQ(removed.bytes, held.bytes);
  EXPECT_EQ(cache_entries(cache).files, 0);
  EXPECT_TRUE(fs::exists(cache / "mine.so"));
  EXPECT_FALSE(fs::exists(cache / "tenon-work-abcdef"));
  EXPECT_EQ(clear_cache(folder_.path() / "nothing").files, 0);
}

}  // namespace
}  // namespace tenon::backends

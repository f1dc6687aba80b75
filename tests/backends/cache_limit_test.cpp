// The folder of compiled code holds so much and no more: what was used longest ago goes first.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tenon/backends/cpu/code_cache.h"
#include "tenon/backends/cpu/work_folder.h"
#include "tenon/base/threefry.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

class CacheLimit : public testing::Test {
 protected:
  fs::path entry(char digit) const { return folder_.path() / (std::string(32, digit) + ".so"); }
  // A file of so many bytes, last used some hours ago.
  static void write(const fs::path& path, std::int64_t bytes, int hours) {
    std::ofstream(path) << std::string(static_cast<std::size_t>(bytes), 'x');
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  }
  static std::string code(int number, int padding = 0) {
    return fmt::format(
        "__attribute__((visibility(\"default\"))) int answer(void) {{ return {}; }}\n"
        "__attribute__((visibility(\"default\"))) const unsigned char padding[{}] = {{1, {}}};\n",
        number, padding + 2, number % 256);
  }
  BuiltCode build(int number, int padding = 0) const {
    return build_code({code(number, padding)}, folder_.path(), nullptr);
  }
  static int answer(const BuiltCode& code) {
    return reinterpret_cast<int (*)()>(code.library->symbol("answer"))();
  }

  TemporaryFolder folder_;
};

TEST_F(CacheLimit, WhatWasUsedLongestAgoGoesFirst) {
  write(entry('a'), 100, 5);
  write(fs::path(entry('a')).replace_extension(".c"), 50, 1);  // kept beside it: goes with it
  write(entry('b'), 100, 9);
  write(entry('c'), 100, 3);
  write(entry('d'), 100, 20);
  write(folder_.path() / "mine.so", 1000, 99);
  fs::create_directory(folder_.path() / "tenon-work-abcdef");
  write(folder_.path() / "tenon-work-abcdef" / "step.c", 100, 7);
  EXPECT_EQ(trim_cache(folder_.path(), 550, "").files, 0);
  EXPECT_EQ(cache_entries(folder_.path()).bytes, 550);
  const CacheSummary removed = trim_cache(folder_.path(), 400, std::string(32, 'd'));
  EXPECT_EQ(removed.entries, 2);
  EXPECT_EQ(removed.files, 4);
  EXPECT_EQ(removed.bytes, 350);
  EXPECT_TRUE(fs::exists(entry('c')) && fs::exists(entry('d')));
  EXPECT_TRUE(fs::exists(folder_.path() / "mine.so"));
  EXPECT_FALSE(fs::exists(folder_.path() / "tenon-work-abcdef"));
}

TEST_F(CacheLimit, LoadingIsUseAndBuildingTrims) {
  const ScopedVariable limit("TENON_CACHE_MIB", "1");
  build(1);
  fs::path built;
  for (const auto& item : fs::directory_iterator(folder_.path())) built = item.path();
  write(entry('a'), kMiB * 3 / 4, 1);
  fs::last_write_time(built, fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_TRUE(build(1).was_cached);
  write(entry('b'), kMiB / 2, 3);
  EXPECT_FALSE(build(2).was_cached);
  EXPECT_TRUE(build(1).was_cached);
  EXPECT_TRUE(build(2).was_cached);
  EXPECT_FALSE(fs::exists(entry('b')));
  EXPECT_FALSE(fs::exists(entry('a')));
  // What is larger than the limit by itself stays until something else is made.
  EXPECT_EQ(answer(build(3, 2 * kMiB)), 3);
  EXPECT_EQ(cache_entries(folder_.path()).entries, 1);
  EXPECT_TRUE(build(3, 2 * kMiB).was_cached);
}

TEST_F(CacheLimit, NothingGoesWhileAnEntryIsLoaded) {
  write(entry('a'), 100, 5);
  {
    const auto loading = FolderLock::share(folder_.path());
    const auto another = FolderLock::share(folder_.path());
    ASSERT_TRUE(loading.has_value() && another.has_value());
    EXPECT_EQ(trim_cache(folder_.path(), 10, "").files, 0);
  }
  EXPECT_EQ(trim_cache(folder_.path(), 10, "").files, 1);
}

TEST_F(CacheLimit, FoldersInUseStay) {
  std::string reason;
  auto work = WorkFolder::make(folder_.path(), reason);
  ASSERT_TRUE(work.has_value());
  write(work->path() / "step.c", 1000, 50);
  EXPECT_EQ(trim_cache(folder_.path(), 10, "").files, 0);
  EXPECT_TRUE(fs::exists(work->path() / "step.c"));
}

// Processes fill a folder that is too small for all of it, and some are killed on the way.
TEST_F(CacheLimit, ProcessesThatDieLeaveASoundFolder) {
  const ScopedVariable limit("TENON_CACHE_MIB", "1");
  constexpr int kPadding = 300'000, kSources = 6;
  const auto run = [&](int child) {
    try {
      ThreefrySequence random{static_cast<std::uint64_t>(child)};
      for (int i = 0; i < 8; ++i) {
        const auto number = static_cast<int>(random.below(kSources));
        if (answer(build(number, kPadding)) != number) return 1;
      }
    } catch (const std::exception& error) {
      std::fputs(error.what(), stderr);
      return 2;
    }
    return 0;
  };
  ThreefrySequence random{7};
  constexpr int kChildren = 12, kAtOnce = 4;
  std::vector<pid_t> running;
  int killed = 0, finished = 0;
  for (int child = 0; child < kChildren || !running.empty();) {
    if (child < kChildren && running.size() < kAtOnce) {
      const pid_t id = fork();
      ASSERT_GE(id, 0);
      if (id == 0) _exit(run(child));
      running.push_back(id);
      ++child;
      continue;
    }
    const std::size_t chosen = random.below(running.size());
    if (finished % 2 == 1) {
      ::usleep(static_cast<useconds_t>(random.below(200'000)));
      ::kill(running[chosen], SIGKILL);
    }
    int status = 0;
    waitpid(running[chosen], &status, 0);
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(chosen));
    if (WIFSIGNALED(status)) {
      EXPECT_EQ(WTERMSIG(status), SIGKILL);
      ++killed;
    } else {
      EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    ++finished;
  }
  EXPECT_GT(killed, 0);
  for (int number = 0; number < kSources; ++number)
    EXPECT_EQ(answer(build(number, kPadding)), number);
  EXPECT_LE(cache_entries(folder_.path()).bytes, kMiB);
}

}  // namespace
}  // namespace tenon::backends

#include "tenon/backends/cpu/work_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tenon/backends/cpu/cache_folder.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

namespace fs = std::filesystem;

TEST(WorkFolder, IsNotClearedWhileItIsInUse) {
  const TemporaryFolder folder;
  std::string reason;
  fs::path path;
  {
    const auto work = WorkFolder::make(folder.path(), reason);
    ASSERT_TRUE(work.has_value());
    path = work->path();
    EXPECT_TRUE(path.filename().string().starts_with(kWorkPrefix));
    std::ofstream(path / "step.c") << "in work";
    EXPECT_FALSE(FolderLock::try_lock(path).has_value());
    EXPECT_EQ(cache_entries(folder.path()).files, 1);
    EXPECT_EQ(clear_cache(folder.path()).files, 0);
    EXPECT_TRUE(fs::exists(path / "step.c"));
  }
  EXPECT_TRUE(fs::exists(path / "step.c"));  // for whoever wants to see what failed
  EXPECT_EQ(clear_cache(folder.path()).files, 1);
  EXPECT_FALSE(fs::exists(path));
}

TEST(WorkFolder, RemoveRemovesAll) {
  const TemporaryFolder folder;
  std::string reason;
  auto work = WorkFolder::make(folder.path(), reason);
  ASSERT_TRUE(work.has_value());
  std::ofstream(work->path() / "step.c") << "done";
  EXPECT_EQ(work->reason_against_writing(), "");
  work->remove();
  EXPECT_FALSE(fs::exists(work->path()));
  EXPECT_EQ(work->reason_against_writing(), "No such file or directory");
}

TEST(WorkFolder, ThoseOfThisProcessAreRemovedAtItsEnd) {
  const TemporaryFolder folder;
  std::string reason;
  const auto running = WorkFolder::make(folder.path(), reason);
  const auto failed = WorkFolder::make(folder.path(), reason)->path();
  const fs::path others = folder.path() / "tenon-work-abcdef";
  fs::create_directory(others);
  remove_own_work_folders();
  EXPECT_FALSE(fs::exists(running->path()));
  EXPECT_FALSE(fs::exists(failed));
  EXPECT_TRUE(fs::exists(others));
}

TEST(WorkFolder, AbandonedOnesAreRemoved) {
  const TemporaryFolder folder;
  std::string reason;
  const auto running = WorkFolder::make(folder.path(), reason);
  const fs::path failed = folder.path() / "tenon-work-failed";
  const fs::path abandoned = folder.path() / "tenon-work-abandoned";
  const fs::path other = folder.path() / "other";
  for (const fs::path& path : {failed, abandoned / "inner", other}) {
    fs::create_directories(path);
    std::ofstream(path / "step.c") << "in work";
  }
  std::ofstream(failed / kFailureFile) << "no room";
  remove_abandoned_work_folders(folder.path());
  EXPECT_TRUE(fs::exists(running->path()));
  EXPECT_TRUE(fs::exists(failed / "step.c"));
  EXPECT_FALSE(fs::exists(abandoned));
  EXPECT_TRUE(fs::exists(other / "step.c"));
}

TEST(WorkFolder, ReasonIfThereCannotBeOne) {
  const TemporaryFolder folder;
  std::string reason;
  EXPECT_FALSE(WorkFolder::make(folder.path() / "nothing", reason).has_value());
  EXPECT_EQ(reason, "No such file or directory");
}

}  // namespace
}  // namespace tenon::backends

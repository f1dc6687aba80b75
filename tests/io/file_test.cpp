#include "tenon/io/file.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>

#include "io_testing.h"

namespace tenon::io {
namespace {

TEST(File, WriteThenReadGivesTheSameBytes) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", std::string_view("one\0two", 7));
  EXPECT_EQ(read_text_file(folder / "a"), std::string("one\0two", 7));
  write_file_atomically(folder / "a", "");
  EXPECT_TRUE(read_file(folder / "a").empty());
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(File, MissingFileFolderAndDeviceAreNamed) {
  const TemporaryFolder folder;
  const std::string missing = (folder / "nothing").string();
  EXPECT_EQ(error_of([&] { read_file(missing); }),
            "cannot read " + missing + ": No such file or directory");
  EXPECT_EQ(error_of([&] { read_file(folder.path()); }),
            "cannot read " + folder.path().string() + ": it is a folder");
  EXPECT_EQ(error_of([] { read_file("/dev/zero"); }),
            "cannot read /dev/zero: it is not a regular file");
  EXPECT_EQ(error_of([] { read_file(""); }), "cannot read a file: its name is empty");
}

TEST(File, FifoIsRefusedWithoutWaiting) {
  const TemporaryFolder folder;
  const std::string fifo = (folder / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { read_file(fifo); }),
            "cannot read " + fifo + ": it is not a regular file");
}

TEST(File, LimitIsChecked) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "12345");
  EXPECT_EQ(error_of([&] { read_text_file(folder / "a", 4); }),
            (folder / "a").string() + ": 5 bytes, more than the limit of 4");
  EXPECT_EQ(read_text_file(folder / "a", 5), "12345");
}

TEST(AtomicFile, TargetKeepsItsContentUntilCommit) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("new and longer");
    EXPECT_EQ(read_text_file(folder / "a"), "old");
  }
  EXPECT_EQ(read_text_file(folder / "a"), "old");
  EXPECT_EQ(folder.entries(), 1u);  // the temporary is gone
  AtomicFile file(folder / "a");
  file.write("new");
  file.commit();
  EXPECT_EQ(read_text_file(folder / "a"), "new");
  EXPECT_EQ(folder.entries(), 1u);
}

// Every process has number 1 in its own container: names that hold it meet after a kill.
TEST(AtomicFile, LeftOversOfKilledWritersDoNotStopTheNext) {
  const TemporaryFolder folder;
  for (int i = 0; i < 2; ++i) {
    // clone() is fork() with a process namespace, where there may be one.
    long child = ::syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (child < 0) child = ::fork();
    if (child == 0) {
      try {
        AtomicFile file(folder / "a");
        file.write("half");
        ::_exit(0);  // without a destructor
      } catch (...) {
        ::_exit(1);
      }
    }
    int status = 0;
    ASSERT_EQ(::waitpid(static_cast<pid_t>(child), &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(folder.entries(), 2u);
}

TEST(AtomicFile, LeftOversAreRemovedByTarget) {
  const TemporaryFolder folder;
  const std::vector<std::string> others = {".b.0123456789abcdef.tmp", ".a.0123456789abcdeg.tmp",
                                           ".a.0123456789abcde.tmp",  ".a.0123456789abcdef.temp",
                                           "a.0123456789abcdef.tmp",  ".a.b.0123456789abcdef.tmp"};
  for (const std::string& name : others) write_file_atomically(folder / name, "not ours");
  write_file_atomically(folder / ".a.0123456789abcdef.tmp", "half");
  AtomicFile running(folder / "a");
  EXPECT_EQ(folder.entries(), others.size() + 2);
  remove_temporaries(folder / "a");
  EXPECT_EQ(folder.entries(), others.size());
  for (const std::string& name : others) EXPECT_TRUE(file_exists(folder / name)) << name;
  remove_temporaries(folder / "no/such/folder/a");
}

TEST(AtomicFile, BadTargetsAreRefused) {
  const TemporaryFolder folder;
  const std::string nowhere = (folder / "no/such/file").string();
  EXPECT_EQ(error_of([&] { AtomicFile file(nowhere); }),
            "cannot write " + nowhere + ": No such file or directory");
  EXPECT_EQ(error_of([&] { AtomicFile file(folder.path()); }),
            "cannot write " + folder.path().string() + ": it exists and is not a regular file");
  EXPECT_EQ(error_of([] { AtomicFile file("/dev/null"); }),
            "cannot write /dev/null: it exists and is not a regular file");
  EXPECT_EQ(error_of([] { AtomicFile file(""); }),
            "cannot write a file with an empty name: it names no file");
  const std::string longest(300, 'x');
  EXPECT_EQ(error_of([&] { AtomicFile file(folder / longest); }),
            "cannot write " + (folder / longest).string() + ": File name too long");
}

TEST(File, MakeFoldersMakesAllAndRefusesAFileInTheWay) {
  const TemporaryFolder folder;
  make_folders(folder / "a/b/c");
  make_folders(folder / "a/b/c");
  EXPECT_TRUE(folder_exists(folder / "a/b/c"));
  write_file_atomically(folder / "file", "x");
  EXPECT_TRUE(file_exists(folder / "file"));
  EXPECT_FALSE(folder_exists(folder / "file"));
  EXPECT_THROW(make_folders(folder / "file"), UserError);
  EXPECT_THROW(make_folders(folder / "file/below"), UserError);
  EXPECT_EQ(error_of([] { make_folders(""); }),
            "cannot make a folder without a name: the path is empty");
}

TEST(ByteSource, ReadsOnlyWhatIsThere) {
  const ByteSource source = source_of("abcd");
  std::vector<std::byte> two(2);
  source.read(2, two);
  EXPECT_EQ(two, bytes_of("cd"));
  EXPECT_EQ(error_of([&] { source.read(3, two); }), "sample: byte 3: 2 bytes expected, 1 left");
  EXPECT_EQ(error_of([&] { source.read(~0ull, two); }),
            "sample: byte 18446744073709551615: 2 bytes expected, 0 left");
}

TEST(Cursor, ReadsBothByteOrdersAndNamesWhatIsCut) {
  const ByteSource source = source_of("\x01\x02\x01\x02\x03");
  Cursor cursor(source);
  EXPECT_EQ(cursor.big_endian<std::uint16_t>("a"), 0x0102);
  EXPECT_EQ(cursor.little_endian<std::uint16_t>("b"), 0x0201);
  EXPECT_EQ(error_of([&] { cursor.big_endian<std::uint32_t>("the count"); }),
            "sample: byte 4: the file ends inside the count (4 bytes expected, 1 left)");
}

}  // namespace
}  // namespace tenon::io

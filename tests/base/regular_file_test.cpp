#include "tenon/base/regular_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "../error_of.h"
#include "tenon/base/error.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

class RegularFileTest : public testing::Test {
 protected:
  RegularFileTest() {
    std::string name = (fs::temp_directory_path() / "tenon_base_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~RegularFileTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(RegularFileTest, ReadsByPosition) {
  const fs::path path = folder_ / "a";
  std::ofstream(path) << "abcdef";
  const RegularFile file(path);
  EXPECT_EQ(file.name(), path.string());
  EXPECT_EQ(file.size(), 6u);
  std::string text(3, '\0');
  file.read(2, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "cde");
  EXPECT_EQ(error_of([&] { file.read(4, std::as_writable_bytes(std::span(text))); }),
            path.string() + ": byte 6: the file was shortened while it was read");
}

TEST_F(RegularFileTest, OtherThingsAreRefusedAtOnce) {
  const std::string fifo = (folder_ / "fifo").string(), missing = (folder_ / "nothing").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { RegularFile file(fifo); }),
            "cannot read " + fifo + ": it is not a regular file");
  EXPECT_EQ(error_of([&] { RegularFile file(folder_); }),
            "cannot read " + folder_.string() + ": it is a folder");
  EXPECT_EQ(error_of([&] { RegularFile file(missing); }),
            "cannot read " + missing + ": No such file or directory");
  EXPECT_EQ(error_of([] { RegularFile file(""); }), "cannot read a file: its name is empty");
  EXPECT_EQ(error_of([] { RegularFile file(std::string("a\0b", 3)); }),
            "cannot read a: the name holds a NUL byte");
}

TEST_F(RegularFileTest, ReadsTheWholeOrNothing) {
  const fs::path path = folder_ / "a";
  std::ofstream(path) << "abcdef";
  EXPECT_EQ(read_if_regular(path, 6), "abcdef");
  EXPECT_EQ(read_if_regular(path, 5), std::nullopt);
  EXPECT_EQ(read_if_regular(folder_, 100), std::nullopt);
  EXPECT_EQ(read_if_regular(folder_ / "nothing", 100), std::nullopt);
  std::ofstream(folder_ / "empty");
  EXPECT_EQ(read_if_regular(folder_ / "empty", 0), "");
}

}  // namespace
}  // namespace tenon

#include "tenon/io/tar.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"
#include "tenon/io/gzip.h"

namespace tenon::io {
namespace {

std::vector<TarFile> files_in(const ByteSource& source, std::uint64_t limit = 1 << 20) {
  TarReader reader(stream_of(source), limit);
  std::vector<TarFile> files;
  while (std::optional<TarFile> file = reader.next()) files.push_back(*std::move(file));
  EXPECT_FALSE(reader.next().has_value());
  return files;
}

std::string tar_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A header with a right checksum, the content and its padding.
std::string entry(const std::string& name, const std::string& content, char type = '0',
                  const std::string& size = "") {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  const std::string field = size.empty() ? fmt::format("{:011o}", content.size()) : size;
  block.replace(124, field.size(), field);
  block[156] = type;
  block.replace(257, 8, std::string("ustar\00000", 8));
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  block.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  return block + content + std::string((512 - content.size() % 512) % 512, '\0');
}

const std::string kEnd(1024, '\0');

TEST(Tar, ReadsEveryFormatOfPythonsTarfile) {
  std::string folders;
  for (int i = 0; i < 18; ++i) folders += "long/";
  for (const char* name : {"ustar", "gnu", "pax"}) {
    const std::vector<TarFile> files =
        files_in(ByteSource::open(sample_path(std::string(name) + ".tar")));
    ASSERT_EQ(files.size(), std::string_view(name) == "ustar" ? 2u : 4u) << name;
    EXPECT_EQ(files[0].name, "folder/a.txt");
    EXPECT_EQ(tar_text(files[0].content), "first");
    EXPECT_EQ(files[1].name, folders + std::string(60, 'n') + ".txt");
    EXPECT_EQ(tar_text(files[1].content), std::string(513, 'x'));
    if (files.size() == 2) continue;
    EXPECT_EQ(files[2].name, std::string(150, 'm') + ".txt");
    EXPECT_TRUE(files[2].content.empty());
    EXPECT_EQ(files[3].name, "\xc3\xbc.txt");
    EXPECT_EQ(tar_text(files[3].content), "last");
  }
}

TEST(Tar, MayBePackedAndOld) {
  const std::string whole = entry("a.txt", "hello") + entry("b.txt", "") + kEnd;
  EXPECT_EQ(files_in(source_of(tar_text(gzip(bytes_of(whole))))).size(), 2u);
  std::string old = entry("folder/", "", '\0') + entry("a", "1", '\0') + kEnd;
  EXPECT_EQ(files_in(source_of(old)).size(), 1u);
  // Sizes in base 256, of the pax header, and a name by GNU.
  EXPECT_EQ(
      files_in(
          source_of(entry("a", "12345", '0', std::string("\x80\0\0\0\0\0\0\0\0\0\0\5", 12)) + kEnd))
          .size(),
      1u);
  EXPECT_EQ(files_in(source_of(entry("p", "9 size=3\n", 'x') +
                               entry("a", "123", '0', "00000000000") + kEnd))[0]
                .content.size(),
            3u);
  EXPECT_EQ(files_in(source_of(entry("././@LongLink", std::string("x/y\0", 4), 'L') +
                               entry("a", "1") + kEnd))[0]
                .name,
            "x/y");
}

TEST(Tar, NamesAndLinksThatLeadOutAreRefused) {
  const auto error = [](const std::string& content) {
    return error_of([&] { files_in(source_of(content + kEnd)); });
  };
  EXPECT_EQ(error(entry("a/../../etc/passwd", "1")),
            "sample: byte 0: the name \"a/../../etc/passwd\" leads out of the archive by \"..\"");
  EXPECT_EQ(
      error(entry("/etc/passwd", "1")),
      "sample: byte 0: the name \"/etc/passwd\" is empty or absolute; relative names expected");
  EXPECT_EQ(error(entry("", "1")),
            "sample: byte 0: the name \"\" is empty or absolute; relative names expected");
  EXPECT_EQ(error(entry("p", "11 path=..\n", 'x') + entry("a", "1")),
            "sample: byte 1024: the name \"..\" leads out of the archive by \"..\"");
  EXPECT_EQ(error(entry("l", "../x", 'L') + entry("a", "1")),
            "sample: byte 1024: the name \"../x\" leads out of the archive by \"..\"");
  EXPECT_EQ(error(entry("a", "", '2')), "sample: byte 0: \"a\" is a link; files expected");
  EXPECT_EQ(error(entry("a", "", '1')), "sample: byte 0: \"a\" is a link; files expected");
  EXPECT_EQ(error(entry("a", "", '3')), "sample: byte 0: \"a\" has the type \"3\"; files expected");
}

TEST(Tar, MalformedArchivesAreNamed) {
  const auto error = [](const std::string& content) {
    return error_of([&] { files_in(source_of(content), 1000); });
  };
  std::string changed = entry("a", "1") + kEnd;
  changed[3] = 'x';
  EXPECT_EQ(error(changed), "sample: byte 0: not a tar archive, or a header with a wrong checksum");
  EXPECT_EQ(error(entry("a", "1")),
            "sample: byte 1024: the archive ends without the block of zeros that marks its end");
  EXPECT_EQ(error(entry("a", "1", '0', "77777777777")),
            "sample: byte 0: \"a\" has 8589934591 bytes, above the limit of 1000");
  EXPECT_EQ(error(entry("a", "1", '0', "12x")), "sample: byte 0: the size of \"a\" is no number");
  EXPECT_EQ(
      error(entry("a", "", '0', std::string("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11))),
      "sample: byte 0: the size of \"a\" is no number");
  EXPECT_EQ(error(entry("a", std::string(600, 'x')).substr(0, 900)),
            "sample: byte 0: the archive ends inside \"a\" (600 bytes expected, 388 left)");
  for (const char* pax : {"99 path=x\n", "path=x\n", "9 pathxx\n", "5 a=", "x", "12 size=abc\n"})
    EXPECT_TRUE(error(entry("p", pax, 'x') + entry("a", "1") + kEnd)
                    .starts_with("sample: byte 0: a malformed pax header"))
        << pax;
  const std::string whole = entry("a.txt", "hello") + kEnd.substr(0, 512);
  const auto read = [](const ByteSource& source) { files_in(source, 4096); };
  expect_every_prefix_refused(whole, read);
  expect_every_byte_change_survived(read_text_file(sample_path("pax.tar")).substr(0, 4096) + kEnd,
                                    [](const ByteSource& source) {
                                      TarReader reader(stream_of(source), 4096);
                                      while (reader.next()) {
                                      }
                                    });
}

}  // namespace
}  // namespace tenon::io

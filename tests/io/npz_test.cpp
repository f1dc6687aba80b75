#include "tenon/io/npz.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"
#include "tenon/io/npy.h"

namespace tenon::io {
namespace {

std::string npz_error(const std::string& file) {
  return error_of([&] { read_npz(source_of(file)); });
}

// A written archive with two small arrays.
std::string small_archive(ZipMethod method = ZipMethod::stored) {
  const TemporaryFolder folder;
  NamedTensors tensors;
  tensors.emplace("a", make_tensor<float>({2}, {1, 2}));
  tensors.emplace("b", make_tensor<std::uint8_t>({3}, {1, 2, 3}));
  write_npz(folder / "small.npz", tensors, method);
  return read_text_file(folder / "small.npz");
}

std::string replaced(std::string text, std::size_t place, std::string_view bytes) {
  return text.replace(place, bytes.size(), bytes);
}

TEST(Npz, ReadsWhatNumPyWrites) {
  const NamedTensors stored = read_npz(sample_path("stored.npz"));
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored.at("x"), make_tensor<float>({4, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(stored.at("y"), make_tensor<std::int64_t>({4}, {0, 1, 2, 1}));
  const NamedTensors deflated = read_npz(sample_path("deflated.npz"));
  EXPECT_EQ(deflated.at("x"), HostTensor({DType::f32, {50, 40}}));
  EXPECT_EQ(deflated.at("y").as<std::int64_t>()[49], 49);
}

TEST(Npz, RoundTripsBothMethodsWithEqualBytesEachTime) {
  for (const ZipMethod method : {ZipMethod::stored, ZipMethod::deflated}) {
    const std::string archive = small_archive(method);
    EXPECT_EQ(archive, small_archive(method));
    const NamedTensors tensors = read_npz(source_of(archive));
    ASSERT_EQ(tensors.size(), 2u);
    EXPECT_EQ(tensors.at("a"), make_tensor<float>({2}, {1, 2}));
    EXPECT_EQ(tensors.at("b"), make_tensor<std::uint8_t>({3}, {1, 2, 3}));
  }
  const TemporaryFolder folder;
  write_npz(folder / "none.npz", {});
  EXPECT_TRUE(read_npz(folder / "none.npz").empty());
}

TEST(Npz, NotAnArchive) {
  const std::string message =
      "sample: byte 0: not a zip archive: no end record (is the file cut short?)";
  EXPECT_EQ(npz_error(""), message);
  EXPECT_EQ(npz_error(std::string(100000, 'x')), message);
}

// Places in small_archive(): the data of "a" and the fields of the directory.
struct Places {
  std::string archive = small_archive();
  std::size_t data = 30 + 5;
  std::size_t entry = archive.find("PK\x01\x02");
  std::size_t second_entry = archive.find("PK\x01\x02", entry + 1);
  std::size_t second_header = archive.find("PK\x03\x04", 1);
  std::size_t end = archive.find("PK\x05\x06");
};

TEST(Npz, DamageIsNamed) {
  const Places at;
  EXPECT_EQ(npz_error(replaced(at.archive, at.data + 130, "x")),
            "sample: byte 35: the member \"a.npy\" is corrupt: its CRC-32 is 1e6a51ee, the "
            "directory says e7abca9a");
  EXPECT_EQ(npz_error(replaced(at.archive, at.entry + 8, "\x01")),
            fmt::format("sample: byte {}: the member \"a.npy\" is encrypted", at.entry));
  EXPECT_EQ(npz_error(replaced(at.archive, at.entry + 10, "\x0c")),
            fmt::format("sample: byte {}: the member \"a.npy\" uses compression method 12 (0 and "
                        "8 are known)",
                        at.entry));
  EXPECT_EQ(npz_error(replaced(at.archive, at.entry + 46, "c")),
            "sample: byte 0: the member \"c.npy\" has another name here");
  EXPECT_EQ(npz_error(replaced(at.archive, at.entry + 42, "\x01")),
            "sample: byte 1: the member \"a.npy\" does not start here");
  EXPECT_EQ(npz_error(replaced(at.archive, at.entry + 45, "\x7f")),
            "sample: byte 2130706432: the member \"a.npy\" lies outside of the file");
  EXPECT_EQ(npz_error(replaced(at.archive, at.entry + 24, "\xff\xff\xff\x7f")),
            "sample: byte 0: the member \"a.npy\" cannot hold 2147483647 bytes in 136");
  EXPECT_EQ(npz_error(replaced(at.archive, at.entry + 20, "\xff\xff\xff\x7f")),
            "sample: byte 0: the member \"a.npy\" (2147483647 bytes) runs past the archive's data");
}

TEST(Npz, DirectoryLiesAreNamed) {
  const Places at;
  EXPECT_EQ(npz_error(replaced(at.archive, at.end + 8, std::string_view("\x03\0\x03", 3))),
            fmt::format("sample: byte {}: 3 members cannot be listed in 102 bytes", at.end));
  EXPECT_EQ(npz_error(replaced(at.archive, at.end + 8, std::string_view("\x01\0\x01", 3))),
            fmt::format("sample: byte {}: the directory's size (102 bytes) does not fit its "
                        "entries",
                        at.second_entry));
  EXPECT_EQ(npz_error(replaced(at.archive, at.end + 12, "\xff\xff\xff")),
            fmt::format("sample: byte {}: the directory (16777215 bytes at {}) lies outside of the "
                        "file",
                        at.end, at.entry));
  EXPECT_EQ(npz_error(replaced(at.archive, at.end + 16, "\xff\xff\xff\xff")),
            fmt::format("sample: byte {}: the zip64 end record is missing", at.end));
  EXPECT_EQ(npz_error(replaced(at.archive, at.end + 4, "\x01")),
            fmt::format("sample: byte {}: archives on several disks are not supported", at.end));
}

TEST(Npz, OneMemberListedTwiceIsRefused) {
  // The second entry is made to point at the first member, as zip bombs do.
  Places at;
  std::string archive = at.archive;
  archive.replace(at.second_entry, 51, archive.substr(at.entry, 51));
  EXPECT_EQ(npz_error(archive), "sample: byte 0: two members named \"a.npy\"");
  archive = small_archive();
  archive.replace(at.second_header + 30, 1, "a");  // names that differ only in the directory
  EXPECT_EQ(
      npz_error(archive),
      fmt::format("sample: byte {}: the member \"b.npy\" has another name here", at.second_header));
}

TEST(Npz, MembersTogetherMayNotPassTheLimit) {
  const ByteSource archive = source_of(small_archive());
  EXPECT_EQ(error_of([&] { read_npz(archive, 200); }),
            "sample: unpacks to more than the limit of 200 bytes");
  EXPECT_EQ(read_npz(archive, 267).size(), 2u);
}

TEST(Npz, BadArrayNamesArchiveAndMember) {
  const TemporaryFolder folder;
  ZipWriter writer(folder / "bad.npz");
  const std::vector<std::byte> content = bytes_of("no array");
  writer.add("a.npy", {content}, ZipMethod::stored);
  writer.commit();
  EXPECT_EQ(npz_error(read_text_file(folder / "bad.npz")),
            "sample: \"a.npy\": byte 0: not a .npy file: the magic string is missing");
  ZipWriter other(folder / "other.npz");
  other.add("a.txt", {content}, ZipMethod::stored);
  other.commit();
  EXPECT_EQ(npz_error(read_text_file(folder / "other.npz")),
            "sample: byte 35: the member \"a.txt\" is not a .npy file");
}

// The same archive with its sizes and offsets in zip64 records.
std::string zip64_archive() {
  const auto u16 = [](std::uint64_t v) { return std::string{char(v), char(v >> 8)}; };
  const auto u32 = [&](std::uint64_t v) { return u16(v) + u16(v >> 16); };
  const auto u64 = [&](std::uint64_t v) { return u32(v) + u32(v >> 32); };
  const HostTensor tensor = make_tensor<float>({2}, {1, 2});
  const std::string header = npy_header(tensor.type());
  const std::string data =
      header + std::string(reinterpret_cast<const char*>(tensor.bytes().data()), 8);
  const std::string crc = u32(crc32_of(bytes_of(data)));
  const std::string all = u32(0xffffffff);
  const std::string local = "PK\x03\x04" + u16(45) + u32(0) + u32(0) + crc + all + all + u16(5) +
                            u16(20) + "a.npy" + u16(1) + u16(16) + u64(data.size()) +
                            u64(data.size());
  const std::string entry = "PK\x01\x02" + u32(45) + u32(0) + u32(0) + crc + all + all + u16(5) +
                            u16(28) + u16(0) + u64(0) + all + "a.npy" + u16(1) + u16(24) +
                            u64(data.size()) + u64(data.size()) + u64(0);
  const std::uint64_t directory = local.size() + data.size();
  const std::uint64_t end64 = directory + entry.size();
  return local + data + entry + "PK\x06\x06" + u64(44) + u32(45) + u32(0) + u32(0) + u64(1) +
         u64(1) + u64(entry.size()) + u64(directory) + "PK\x06\x07" + u32(0) + u64(end64) + u32(1) +
         "PK\x05\x06" + u32(0) + u16(0xffff) + u16(0xffff) + all + all + u16(0);
}

TEST(Npz, ReadsZip64) {
  EXPECT_EQ(read_npz(source_of(zip64_archive())).at("a"), make_tensor<float>({2}, {1, 2}));
}

TEST(Npz, EveryTruncationAndByteChangeIsSurvived) {
  const auto read = [](const ByteSource& source) { read_npz(source); };
  for (const std::string& whole :
       {small_archive(), small_archive(ZipMethod::deflated), zip64_archive()}) {
    expect_every_prefix_refused(whole, read);
    expect_every_byte_change_survived(whole, read);
  }
}

}  // namespace
}  // namespace tenon::io

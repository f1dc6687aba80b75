#include "tenon/io/safetensors.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

std::string safetensors_file(std::string_view header, std::string_view data = "") {
  std::string file;
  for (std::size_t i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> 8 * i & 0xff);
  return file + std::string(header) + std::string(data);
}

std::string safetensors_error(std::string_view header, std::string_view data = "") {
  const std::string file = safetensors_file(header, data);
  return error_of([&] { read_safetensors(source_of(file)); });
}

NamedTensors small_tensors() {
  NamedTensors tensors;
  tensors.emplace("dense/bias", make_tensor<float>({2}, {0.5f, -0.5f}));
  tensors.emplace("dense/kernel", make_tensor<float>({1, 2}, {1, 2}));
  tensors.emplace("a_flag", make_tensor<bool>({3}, {true, false, true}));
  tensors.emplace("step", make_scalar<std::int64_t>(7));
  tensors.emplace("nothing", HostTensor({DType::f64, {0, 3}}));
  return tensors;
}

std::string written(const NamedTensors& tensors,
                    const std::map<std::string, std::string>& metadata = {}) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a", tensors, metadata);
  return read_text_file(folder / "a");
}

TEST(Safetensors, RoundTripsTensorsAndMetadata) {
  const std::map<std::string, std::string> metadata = {{"framework", "tenon"},
                                                       {"note", "\xc3\xa9"}};
  const Safetensors read = read_safetensors(source_of(written(small_tensors(), metadata)));
  EXPECT_EQ(read.tensors, small_tensors());
  EXPECT_EQ(read.metadata, metadata);
  const Safetensors none = read_safetensors(source_of(written({})));
  EXPECT_TRUE(none.tensors.empty() && none.metadata.empty());
}

TEST(Safetensors, RoundTripsEveryElementType) {
  NamedTensors tensors;
  for (const DType dtype : kAllDTypes) tensors.emplace(name(dtype), filled({dtype, {3}}, 1));
  EXPECT_EQ(read_safetensors(source_of(written(tensors))).tensors, tensors);
}

TEST(Safetensors, BytesAreThoseOfTheFormat) {
  NamedTensors tensors;
  tensors.emplace("b", make_tensor<std::uint8_t>({2}, {0x41, 0x42}));
  tensors.emplace("c", make_tensor<float>({1}, {1.0f}));
  const std::string header = R"({"__metadata__":{"checksum":"xxh3:CHECKSUM--------"},)"
                             R"("b":{"data_offsets":[4,6],"dtype":"U8","shape":[2]},)"
                             R"("c":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}})";
  std::string file = written(tensors);
  const std::size_t digits = file.find("xxh3:") + 5;
  file.replace(digits, 16, "CHECKSUM--------");
  std::string padded = header;
  do padded += ' ';
  while (padded.size() % 8 != 0);
  EXPECT_EQ(file, safetensors_file(padded, std::string_view("\0\0\x80\x3f\x41\x42", 6)));
}

TEST(Safetensors, ChecksumFindsOneChangedBit) {
  std::string file = written(small_tensors());
  file.back() = static_cast<char>(file.back() ^ 1);
  const std::string message = error_of([&] { read_safetensors(source_of(file)); });
  EXPECT_NE(message.find("the data is corrupt: its checksum is xxh3:"), std::string::npos)
      << message;
}

TEST(Safetensors, FilesWithoutAChecksumAreRead) {
  const Safetensors read = read_safetensors(source_of(safetensors_file(
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"__metadata__":{"k":"v"}}  )",
      "AB")));
  EXPECT_EQ(read.tensors.at("a"), make_tensor<std::uint8_t>({2}, {0x41, 0x42}));
  EXPECT_EQ(read.metadata.at("k"), "v");
}

TEST(Safetensors, HeaderLiesAreNamed) {
  EXPECT_EQ(error_of([] { read_safetensors(source_of("abc")); }),
            "sample: byte 0: the file ends inside the header length (8 bytes expected, 3 left)");
  EXPECT_EQ(error_of([] { read_safetensors(source_of("\xff\xff\xff\xff\xff\xff\xff\x7f{}")); }),
            "sample: byte 0: a header of 9223372036854775807 bytes in a file of 10 (not a "
            "safetensors file?)");
  EXPECT_EQ(safetensors_error("[]"), "sample: byte 8: the header must start with {");
  EXPECT_TRUE(safetensors_error("{]").starts_with("sample: header: line 1, column 2: "));
  const auto error = [](std::string_view entry, std::string_view data = "1234") {
    return safetensors_error(fmt::format("{{\"t\":{}}}", entry), data);
  };
  const std::string start = "sample: byte 8: tensor \"t\": ";
  EXPECT_EQ(error("3"), start + "an object expected");
  EXPECT_EQ(error("{}"), start + "no \"dtype\"");
  EXPECT_EQ(error(R"({"x":1})"), start + "unknown key \"x\"");
  EXPECT_EQ(error(R"({"dtype":"F8_E4M3"})"), start + "element type \"F8_E4M3\" is not supported");
  EXPECT_EQ(error(R"({"dtype":4})"), start + "\"dtype\" must be text");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":4})"), start + "\"shape\" must be a list of numbers");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[-1]})"),
            start + "\"shape\" must hold integers from 0 to 2^63 - 1, not -1");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[9223372036854775808]})"),
            start + "\"shape\" must hold integers from 0 to 2^63 - 1, not 9223372036854775808");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[1.5]})"),
            start + "\"shape\" must hold integers from 0 to 2^63 - 1, not 1.5");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})"),
            start + "\"data_offsets\" must be two numbers");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"),
            start + "data_offsets [4, 0] lie outside of the 4 bytes of data");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[1],"data_offsets":[1,5]})"),
            start + "data_offsets [1, 5] lie outside of the 4 bytes of data");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"),
            start + "f32[2] takes 8 bytes, data_offsets give it 4");
  EXPECT_EQ(error(R"({"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,4]})"),
            start + "the shape [4611686018427387904, 2] is impossible");
}

TEST(Safetensors, OverlapsHolesRestsAndRepeatedNamesAreRefused) {
  const auto two = [](int begin_a, int end_a, int begin_b, int end_b) {
    return fmt::format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}},)"
                       R"("b":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}}}})",
                       end_a - begin_a, begin_a, end_a, end_b - begin_b, begin_b, end_b);
  };
  const std::size_t start = 8 + two(0, 2, 2, 4).size();
  read_safetensors(source_of(safetensors_file(two(0, 2, 2, 4), "1234")));
  read_safetensors(source_of(safetensors_file(two(2, 4, 0, 2), "1234")));
  EXPECT_EQ(safetensors_error(two(0, 3, 2, 4), "1234"),
            fmt::format("sample: byte {}: tensor \"b\" overlaps the one before it", start + 2));
  EXPECT_EQ(safetensors_error(two(0, 1, 2, 4), "1234"),
            fmt::format("sample: byte {}: tensor \"b\" leaves a hole before it", start + 1));
  EXPECT_EQ(safetensors_error(two(0, 2, 2, 4), "12345"),
            fmt::format("sample: byte {}: 1 bytes belong to no tensor", start + 4));
  EXPECT_EQ(safetensors_error(R"({"a":{},"a":{}})"),
            "sample: header: the key \"a\" appears twice in one object");
  EXPECT_EQ(safetensors_error(R"({"__metadata__":{"k":1}})"),
            "sample: byte 8: metadata \"k\" must be text");
  EXPECT_EQ(safetensors_error(R"({"__metadata__":[]})"),
            "sample: byte 8: \"__metadata__\" must be an object");
}

TEST(Safetensors, ReservedNamesCannotBeWritten) {
  const TemporaryFolder folder;
  const std::string path = (folder / "a").string();
  EXPECT_EQ(error_of([&] {
              write_safetensors(path, {}, {{"checksum", "x"}});
            }),
            "cannot write " + path + ": the metadata key \"checksum\" is reserved");
  NamedTensors tensors;
  tensors.emplace("__metadata__", make_scalar(1.0f));
  EXPECT_EQ(error_of([&] { write_safetensors(path, tensors); }),
            "cannot write " + path + ": a tensor may not be named \"__metadata__\"");
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Safetensors, EveryTruncationAndByteChangeIsSurvived) {
  const std::string whole = written(small_tensors());
  const auto read = [](const ByteSource& source) { read_safetensors(source); };
  expect_every_prefix_refused(whole, read);
  expect_every_byte_change_survived(whole, read);
}

}  // namespace
}  // namespace tenon::io

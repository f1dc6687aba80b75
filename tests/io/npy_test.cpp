#include "tenon/io/npy.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

// A version 1 file with this dict and data.
std::string npy_file(std::string_view dict, std::string_view data) {
  std::string file = std::string("\x93NUMPY\x01\0", 8);
  file += static_cast<char>(dict.size() & 0xff);
  file += static_cast<char>(dict.size() >> 8);
  return file + std::string(dict) + std::string(data);
}

std::string npy_error(const std::string& file) {
  return error_of([&] { read_npy(source_of(file)); });
}

TEST(Npy, ReadsEveryElementTypeNumPyWrites) {
  struct Row {
    std::string code;
    DType dtype;
  };
  const std::vector<Row> rows = {{"b1", DType::boolean}, {"i1", DType::i8},  {"u1", DType::u8},
                                 {"i2", DType::i32},     {"u2", DType::u32}, {"i4", DType::i32},
                                 {"u4", DType::u32},     {"i8", DType::i64}, {"u8", DType::u64},
                                 {"f2", DType::f16},     {"f4", DType::f32}, {"f8", DType::f64}};
  for (const auto& [code, dtype] : rows) {
    for (const std::string order : {"", "_big"}) {
      if (order == "_big" && code[1] == '1') continue;
      const HostTensor tensor = read_npy(sample_path(code + order + ".npy"));
      ASSERT_EQ(tensor.type(), (TensorType{dtype, {2, 3}})) << code << order;
      for (int i = 0; i < 6; ++i) {
        const bool negative = code[0] == 'i' || code[0] == 'f';
        const double expected = code == "b1" ? i % 2 : i * 7 - (negative ? 9 : 0);
        EXPECT_EQ(element_as_double(tensor, i), expected) << code << order << " " << i;
      }
    }
  }
}

TEST(Npy, ReadsScalarsEmptyArraysVersionsAndFortranOrder) {
  EXPECT_EQ(read_npy(sample_path("scalar.npy")), make_scalar(2.5f));
  EXPECT_EQ(read_npy(sample_path("empty.npy")), make_tensor<float>({0, 4}, {}));
  const HostTensor five = make_tensor<std::int64_t>({5}, {0, 1, 2, 3, 4});
  EXPECT_EQ(read_npy(sample_path("version2.npy")), five);
  EXPECT_EQ(read_npy(sample_path("version3.npy")), five);
  HostTensor ordered({DType::i32, {2, 3, 4}});
  for (int i = 0; i < 24; ++i) ordered.as<std::int32_t>()[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(read_npy(sample_path("fortran.npy")), ordered);
}

TEST(Npy, WritesTheBytesThatNumPyWrites) {
  const TemporaryFolder folder;
  for (const std::string name :
       {"b1", "i1", "u1", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "scalar", "empty"}) {
    const std::filesystem::path original = sample_path(name + ".npy");
    write_npy(folder / "copy.npy", read_npy(original));
    EXPECT_EQ(read_file(folder / "copy.npy"), read_file(original)) << name;
  }
}

TEST(Npy, RefusesBfloat16AndLeavesNoFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] {
              write_npy(folder / "a", HostTensor({DType::bf16, {2}}));
            }),
            "NumPy has no bf16: convert the tensor bf16[2] to f32 before writing it as .npy");
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Npy, UnsupportedTypesAreNamed) {
  const std::string supported = " is not supported (bool, integers and f2, f4, f8 are)";
  const auto error = [](const std::string& name) {
    return error_of([&] { read_npy(ByteSource("sample", read_file(sample_path(name)))); });
  };
  EXPECT_EQ(error("object.npy"), "sample: byte 20: element type \"|O\"" + supported);
  EXPECT_EQ(error("text.npy"), "sample: byte 20: element type \"<U2\"" + supported);
  EXPECT_EQ(error("complex.npy"), "sample: byte 20: element type \"<c16\"" + supported);
  EXPECT_EQ(error("record.npy"), "sample: byte 20: record arrays are not supported");
}

TEST(Npy, ContradictionsAreRefused) {
  const auto with_shape = [](std::string_view shape) {
    return npy_file(fmt::format("{{'descr':'<f4','fortran_order':False,'shape':{}}}", shape),
                    "12345678");
  };
  read_npy(source_of(with_shape("(2,)")));
  read_npy(source_of(with_shape("(2L,)")));
  EXPECT_EQ(npy_error(with_shape("(3,)")),
            "sample: byte 60: the shape [3] of f32 needs 12 bytes, 8 are left");
  EXPECT_EQ(npy_error(with_shape("(1,)")), "sample: byte 64: 4 bytes after the data of f32[1]");
  EXPECT_EQ(npy_error(with_shape("(-2,)")), "sample: byte 56: negative extent -2");
  EXPECT_EQ(npy_error(with_shape("(99999999999999999999,)")),
            "sample: byte 56: an extent does not fit in 63 bits");
  EXPECT_EQ(npy_error(with_shape("(4611686018427387904,4)")),
            "sample: byte 79: the shape [4611686018427387904, 4] is impossible");
  EXPECT_EQ(npy_error(with_shape("(0,9223372036854775807,9223372036854775807)")),
            "sample: byte 99: the shape [0, 9223372036854775807, 9223372036854775807] is "
            "impossible");
  EXPECT_EQ(npy_error(with_shape("(1000000000000,)")),
            "sample: byte 72: the shape [1000000000000] of f32 needs 4000000000000 bytes, 8 are "
            "left");
  std::string deep = "(";
  for (int i = 0; i < 40; ++i) deep += "1,";
  EXPECT_EQ(npy_error(with_shape(deep + ")")), "sample: byte 120: more than 32 axes");
}

TEST(Npy, BadHeadersAreRefused) {
  EXPECT_EQ(npy_error(""),
            "sample: byte 0: the file ends inside the magic string (6 bytes expected, 0 left)");
  EXPECT_EQ(npy_error("PK\x03\x04 a zip file"),
            "sample: byte 0: not a .npy file: the magic string is missing");
  EXPECT_EQ(npy_error("\x93NUMPY\x09\x01"),
            "sample: byte 6: version 9.1 is not supported (1.0, 2.0, 3.0 are)");
  EXPECT_EQ(npy_error(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff{", 13)),
            "sample: byte 12: the file ends inside the header (4294967295 bytes expected, 1 left)");
  const auto error = [](std::string_view dict) { return npy_error(npy_file(dict, "1234")); };
  EXPECT_EQ(error(""), "sample: byte 10: malformed header: '{' expected");
  EXPECT_EQ(error("{}"), "sample: byte 12: the header has no \"descr\"");
  EXPECT_EQ(error("{'x': 1}"), "sample: byte 11: unknown header key \"x\"");
  EXPECT_EQ(error("{'descr': '<f4', 'descr': '<f4'}"),
            "sample: byte 27: repeated header key \"descr\"");
  EXPECT_EQ(error("{'descr': '<f4"), "sample: byte 20: malformed header: a quote is not closed");
  EXPECT_EQ(error("{'descr': 4}"), "sample: byte 20: malformed header: a quoted name expected");
  EXPECT_EQ(error("{'fortran_order': 1}"),
            "sample: byte 28: malformed header: True or False expected");
  EXPECT_EQ(error("{'shape': (1.5,)}"), "sample: byte 22: malformed header: ')' expected");
  EXPECT_EQ(error("{'shape': (,)}"), "sample: byte 21: malformed header: an extent expected");
  EXPECT_EQ(error("{'shape': ()} x"), "sample: byte 24: text after the header's closing brace");
}

TEST(Npy, BoolsMustBeZeroOrOne) {
  EXPECT_EQ(npy_error(npy_file("{'descr':'|b1','fortran_order':False,'shape':(3,)}",
                               std::string_view("\x01\x00\x02", 3))),
            "sample: byte 62: 2 is not a bool; 0 or 1 expected");
}

TEST(Npy, EveryTruncationAndByteChangeIsSurvived) {
  for (const std::string name : {"f4", "i2_big", "fortran", "version2", "b1"}) {
    const std::string whole = read_text_file(sample_path(name + ".npy"));
    expect_every_prefix_refused(whole, [](const ByteSource& source) { read_npy(source); });
    expect_every_byte_change_survived(whole, [](const ByteSource& source) { read_npy(source); });
  }
}

}  // namespace
}  // namespace tenon::io

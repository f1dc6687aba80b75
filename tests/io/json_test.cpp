#include "tenon/io/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "io_testing.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

std::string json_error(std::string_view text) {
  return error_of([&] { parse_json(text, "sample"); });
}

TEST(Json, RoundTripsThroughAFile) {
  const TemporaryFolder folder;
  const Json json = {
      {"b", {1, 2.5, nullptr, true, "x"}}, {"a", Json::object()}, {"c", {{"d", {}}}}};
  write_json(folder / "a.json", json);
  EXPECT_EQ(read_json(folder / "a.json"), json);
  EXPECT_EQ(json_text({{"b", 1}, {"a", 2}}, -1), "{\"a\":2,\"b\":1}\n");
  EXPECT_EQ(parse_json("[[1,[2]],{\"a\":[{}]},-3]", "sample").dump(), "[[1,[2]],{\"a\":[{}]},-3]");
}

TEST(Json, MalformedTextGivesLineAndColumn) {
  EXPECT_TRUE(json_error("{\n  \"a\": tru }").starts_with("sample: line 2, column 11: "))
      << json_error("{\n  \"a\": tru }");
  EXPECT_TRUE(json_error("").starts_with("sample: line 1, column 1: ")) << json_error("");
  EXPECT_TRUE(json_error("[1] 2").starts_with("sample: line 1, column 5: ")) << json_error("[1] 2");
  EXPECT_TRUE(json_error("\"\xff\"").starts_with("sample: line 1, column "))
      << json_error("\"\xff\"");
}

TEST(Json, NumbersOutOfRangeEqualKeysAndDeepNestingAreRefused) {
  EXPECT_EQ(json_error("[1e999]"), "sample: line 1, column 6: number overflow parsing '1e999'");
  EXPECT_EQ(json_error("{\"a\":1,\"a\":2}"), "sample: the key \"a\" appears twice in one object");
  EXPECT_EQ(json_error(std::string(100000, '[')), "sample: JSON nested deeper than 1000 levels");
  parse_json(std::string(1000, '[') + std::string(1000, ']'), "sample");
}

// `depth` objects, each the only field of the one around it.
Json nested(int depth) {
  Json json = Json::object();
  for (int i = 1; i < depth; ++i) json = Json{{"inner", std::move(json)}};
  return json;
}

TEST(Json, WhatCouldNotBeReadAgainIsNotWritten) {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.json").string();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(
      error_of([&] {
        write_json(path, {{"optimizer", {{"learning_rate", -infinity}}}});
      }),
      "cannot write " + path + ": /optimizer/learning_rate is -inf; numbers in JSON are finite");
  EXPECT_EQ(error_of([&] {
              json_text({{"scale", {1.5, std::nan("")}}});
            }),
            "cannot write JSON: /scale/1 is nan; numbers in JSON are finite");
  EXPECT_EQ(error_of([&] { json_text(infinity); }),
            "cannot write JSON: the value is inf; numbers in JSON are finite");
  EXPECT_EQ(error_of([&] { write_json(path, nested(kMaxJsonDepth + 1)); }),
            "cannot write " + path + ": JSON nested deeper than 1000 levels");
  EXPECT_EQ(folder.entries(), 0u);
  write_json(path, nested(kMaxJsonDepth));
  EXPECT_EQ(read_json(path), nested(kMaxJsonDepth));
}

TEST(Json, TextThatIsNotUtf8CannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_json(folder / "a", Json("\xff")), UserError);
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Json, EveryTruncationAndByteChangeIsSurvived) {
  const std::string whole = R"({"a":[1,-2.5e3,"\u00e9",null,true],"b":{"c":{}}})";
  const auto read = [](const ByteSource& source) {
    const std::vector<std::byte> bytes = source.read_all(1000);
    parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, source.name());
  };
  expect_every_prefix_refused(whole, read);
  expect_every_byte_change_survived(whole, read);
}

}  // namespace
}  // namespace tenon::io

#include "tenon/ir/parse.h"

#include <gtest/gtest.h>

#include "op_testing.h"
#include "tenon/ir/print.h"

namespace tenon::ir {
namespace {

std::string parse_error(std::string_view text) {
  return error_of([&] { parse(text); });
}

// A graph of one input x: f32[2,3] with these node lines, returning %1.
std::string with_nodes(std::string_view lines) {
  return fmt::format("graph(%0 \"x\": f32[2,3] data) {{\n{}  return %1\n}}\n", lines);
}

TEST(Parse, ReadsHandWrittenText) {
  const Graph graph = parse(
      "// a comment\n"
      "graph(%7 \"x\": f32[2] data, // another\n %3 \"w\": f32[2] state) {\n"
      "  // between nodes\n"
      "  %20:f32[2]=add(%7,%3)//sum \"my file.cpp:1\"\n"
      "  return \"y\":%20->%3\n"
      "}");
  EXPECT_EQ(graph.nodes().size(), 3u);
  EXPECT_EQ(graph.outputs()[0].updates_input, 1u);
  ASSERT_NE(graph.info(2), nullptr);
  EXPECT_EQ(graph.info(2)->name, "sum");
  EXPECT_EQ(graph.info(2)->location, "my file.cpp:1");
}

TEST(Parse, RoundTripsWhatPrintWrites) {
  Builder body;
  const Value c = body.input({"c", {DType::f32, {}}, Role::data, {}});
  const Value next = negate(body, c);
  Builder b;
  const Value nan =
      constant(b, make_tensor<float>({3}, {std::bit_cast<float>(0xffc01234u), -0.0f, 1e-45f}));
  const Value half = constant(
      b, make_tensor<Float16>({2}, {Float16(0.1f), std::bit_cast<Float16>(std::uint16_t{0xfe11})}));
  const Sharding rows{{{{"d \"q\"", 2}}}, {{"d \"q\""}}};
  const Value x = b.input({"later\n\x01", {DType::f32, {}}, Role::key, rows});
  const Value last = b.add(Scan{GraphRef(std::move(body).finish({next})), 3, 1, 0, true}, {x});
  b.describe(last.node, {"", "only/location.cpp:9"});
  b.describe(nan.node, {"//", ""});
  const Graph graph = std::move(b).finish({{"a", nan, std::nullopt, Merge::weighted_mean},
                                           {"", half, std::nullopt, Merge::carry},
                                           {"", last, 0, Merge::sum}});
  const std::string text = print(graph);
  const Graph back = parse(text);
  EXPECT_EQ(back, graph) << text;
  EXPECT_EQ(print(back), text);
}

TEST(Parse, EqualNodesMerge) {
  const Graph graph =
      parse(with_nodes("  %1: f32[2,3] = negate(%0)\n"
                       "  %2: f32[2,3] = negate(%0)\n"
                       "  %3: f32[2,3] = add(%1, %2)\n"));
  EXPECT_EQ(graph.nodes().size(), 3u);
  const std::string text = print(graph);
  EXPECT_EQ(print(parse(text)), text);
}

TEST(Parse, ErrorsNameLineAndColumn) {
  EXPECT_EQ(parse_error(""), "graph text 1:1: expected \"graph\", found the end of the text");
  EXPECT_EQ(parse_error("graph() {\n  return\n} x"),
            "graph text 3:3: expected the end of the text, found \"x\"");
  EXPECT_EQ(parse_error(with_nodes("  %1: f32[2,3] = negat(%0)\n")),
            "graph text 2:18: there is no op named \"negat\"; did you mean \"negate\"?");
  EXPECT_EQ(parse_error(with_nodes("  %1: f32[2,3] = negate(%4)\n")),
            "graph text 2:25: %4 is not defined before its use");
  EXPECT_EQ(parse_error(with_nodes("  %1: f32[2,3] = negate(%0.1)\n")),
            "graph text 2:25: %0 has 1 results, there is no %0.1");
  EXPECT_EQ(parse_error(with_nodes("  %1: f32[3,2] = negate(%0)\n")),
            "graph text 2:3: %1 is written as (f32[3,2]), but negate gives (f32[2,3])");
  EXPECT_EQ(parse_error(with_nodes("  %0: f32[2,3] = negate(%0)\n")),
            "graph text 2:3: %0 is defined twice");
  EXPECT_EQ(parse_error(with_nodes("  %1: f32[2] = reduce(%0) kind=sun axes=[1] accumulate=f32\n")),
            "graph text 2:32: expected one of sum, product, min, max, all, any, argmin, argmax, "
            "found \"sun\"");
  EXPECT_EQ(parse_error(with_nodes("  %1: f16[2,3] = cast(%0) type=f16\n")),
            "graph text 2:27: expected \"dtype\", found \"type\"");
  EXPECT_EQ(parse_error(with_nodes("  %1: f32[2,3] = parameter() position=0 type=f32[2,3]\n")),
            "graph text 2:18: there is no op named \"parameter\"");
  EXPECT_EQ(parse_error(with_nodes("  %1: f32[2,3] = negate(%0) // a b c\n")),
            "graph text 2:35: the comment after a node holds its name and its location");
  EXPECT_EQ(parse_error("graph(%0 \"x: f32[] data) {"),
            "graph text 1:10: the string has no closing quote");
  EXPECT_EQ(parse_error("graph(%0: f31[] data) {"),
            "graph text 1:11: expected an element type such as f32, found \"f31\"");
  EXPECT_EQ(parse_error("graph(%0: f16[4611686018427387904,0] data) { return }"),
            "graph text 1:7: parameter: result f16[4611686018427387904,0] is too large: its bytes "
            "do not fit in 63 bits");
  EXPECT_EQ(parse_error("graph(%0: f32[] data) { return %0 -> %1 }"),
            "graph text 1:38: %1 is no input; an output updates an input");
  EXPECT_EQ(parse_error("graph(%0 \"w\": f32[] state) { return %0 -> %0, %0 -> %0 }"),
            "graph text 1:37: assign: \"w\" is assigned twice in one step");
}

TEST(Parse, TypeErrorsComeFromTheOp) {
  const std::string error = parse_error(with_nodes("  %1: f32[7] = reshape(%0) shape=[7]\n"));
  EXPECT_TRUE(error.starts_with("graph text 2:3: reshape: ")) << error;
}

std::string with_constant(std::string_view constant) {
  return fmt::format("graph() {{\n  %0: f32[2] = constant() value={}\n  return %0\n}}", constant);
}

TEST(Parse, ConstantsAreBoundedByTheText) {
  EXPECT_EQ(parse_error(with_constant("f32[4611686018427387904]{1}")),
            "graph text 2:33: tensor size: 4611686018427387904 * 4 does not fit in 63 bits");
  EXPECT_EQ(parse_error(with_constant("f32[1000000000000]{1}")),
            "graph text 2:33: f32[1000000000000] has 1000000000000 elements, the text that is left "
            "cannot hold them");
  EXPECT_EQ(parse_error(with_constant("f32[-1]{1}")),
            "graph text 2:33: shape [-1] has a negative extent");
  EXPECT_EQ(parse_error(with_constant("f32[2]{1}")),
            "graph text 2:41: expected \",\", found \"}\"");
  EXPECT_EQ(parse_error(with_constant("f32[2]{1, 2, 3}")),
            "graph text 2:44: expected \"}\", found \",\"");
  EXPECT_EQ(parse_error(with_constant("f32[2]{1, 1e99}")),
            "graph text 2:43: expected a number, found \"1e99\"");
  EXPECT_EQ(parse_error(with_constant("f32[2]{1, nan}")),
            "graph text 2:43: expected a number, found \"nan\"");
  EXPECT_EQ(parse_error(with_constant("f32[2]{1, nan:0x1}")),
            "graph text 2:49: \"1\" are no NaN's bits of type f32");
  EXPECT_EQ(parse_error(with_constant("f16[2]{1, 65536}")),
            "graph text 2:43: 65536 does not fit f16");
  EXPECT_EQ(parse_error(with_constant("u8[1]{256}")),
            "graph text 2:39: expected a number of type u8, found \"256\"");
}

TEST(Parse, RanksListsAndNestingAreBounded) {
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  EXPECT_EQ(parse_error("graph(%0: f32[" + ones + "] data) {"),
            "graph text 1:11: a type has more than 64 axes");
  const std::string reshape =
      parse_error("graph(%0: f32[] data) {\n%1: f32[1] = reshape(%0) shape=[" + ones + "]");
  EXPECT_TRUE(reshape.ends_with("the list has more than 64 entries")) << reshape;
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += "graph() { %0: f32[] = scan() body=";
  EXPECT_EQ(parse_error(nested), "graph text 1:1089: graphs are nested more than 32 deep");
}

}  // namespace
}  // namespace tenon::ir

#include "tenon/ir/print.h"

#include <gtest/gtest.h>

#include <limits>

#include "tenon/ir/build.h"

namespace tenon::ir {
namespace {

Value data(Builder& b, std::string name, TensorType type) {
  return b.input({std::move(name), std::move(type), Role::data, Sharding{}});
}

// One constant node of these elements.
template <class T>
std::string constant_text(std::initializer_list<T> values) {
  Builder b;
  const Value x = constant(b, make_tensor<T>({static_cast<std::int64_t>(values.size())}, values));
  const std::string text = print(std::move(b).finish({x}));
  const std::size_t start = text.find('{', text.find("value="));
  return text.substr(start, text.find('}') + 1 - start);
}

TEST(Print, ASmallGraph) {
  Builder b;
  const Value x = b.input({"images", {DType::u8, {2, 3}}, Role::data, {}});
  const Value w = b.input({"dense/kernel", {DType::f32, {6}}, Role::state, {}});
  const Value flat = reshape(b, cast(b, x, DType::f32), {6});
  b.describe(flat.node, {"flatten", "train.cpp:12"});
  const Value sum = add(b, flat, w);
  const Value best = b.add(Reduce{ReduceKind::argmax, {0}, DType::f32}, {sum});
  const Graph graph = std::move(b).finish(
      {{"sum", sum, 1, Merge::sum}, {"", {best.node, 1}, std::nullopt, Merge::carry}});
  EXPECT_EQ(print(graph),
            "graph(%0 \"images\": u8[2,3] data, %1 \"dense/kernel\": f32[6] state) {\n"
            "  %2: f32[2,3] = cast(%0) dtype=f32\n"
            "  %3: f32[6] = reshape(%2) shape=[6]  // flatten train.cpp:12\n"
            "  %4: f32[6] = add(%3, %1)\n"
            "  %5: (f32[], i32[]) = reduce(%4) kind=argmax axes=[0] accumulate=f32\n"
            "  return \"sum\": %4 -> %1 merge=sum, %5.1\n"
            "}\n");
}

TEST(Print, EmptyGraph) {
  EXPECT_EQ(print(Builder().finish(std::vector<Output>{})), "graph() {\n  return\n}\n");
}

TEST(Print, ManyInputsTakeALineEach) {
  Builder b;
  for (const char* name : {"a", "b"}) data(b, name + std::string(40, 'x'), {DType::f32, {}});
  const std::string x(40, 'x');
  EXPECT_EQ(print(std::move(b).finish({Value{0, 0}})), "graph(\n    %0 \"a" + x +
                                                           "\": f32[] data,\n    %1 \"b" + x +
                                                           "\": f32[] data) {\n  return %0\n}\n");
}

TEST(Print, NestedGraphs) {
  Builder body;
  const Value c = data(body, "c", {DType::f32, {}});
  const Value next = negate(body, c);
  Builder b;
  const Value x = data(b, "x", {DType::f32, {}});
  const Value last = b.add(Scan{GraphRef(std::move(body).finish({next})), 3, 1, 0, true}, {x});
  EXPECT_EQ(print(std::move(b).finish({last})),
            "graph(%0 \"x\": f32[] data) {\n"
            "  %1: f32[] = scan(%0) body=graph(%0 \"c\": f32[] data) {\n"
            "    %1: f32[] = negate(%0)\n"
            "    return %1\n"
            "  } length=3 carried=1 scanned=0 reverse=true\n"
            "  return %1\n"
            "}\n");
}

TEST(Print, ShardingsWindowsAndOddNames) {
  Builder b;
  const Sharding rows{{{{"data", 2}}}, {{"data"}, {}}};
  const Value x = b.input({"a \"b\"\n", {DType::f32, {4, 2}}, Role::data, rows});
  const Window window{{2, 1}, {2, 1}, {0, 0}, {0, 0}, {1, 1}};
  const Value y = b.add(WindowReduce{ReduceKind::max, window, DType::f32}, {x});
  b.describe(y.node, {"two words", ""});
  EXPECT_EQ(print(std::move(b).finish({y})),
            "graph(\n"
            "    %0 \"a \\\"b\\\"\\n\": f32[4,2] data "
            "sharding={mesh={axes=[{name=\"data\" size=2}]} axes=[[\"data\"],[]]}) {\n"
            "  %1: f32[2,2] = window_reduce(%0) kind=max window={size=[2,1] strides=[2,1] "
            "low=[0,0] high=[0,0] dilation=[1,1]} accumulate=f32  // \"two words\"\n"
            "  return %1\n"
            "}\n");
}

TEST(Print, ConstantsAreExact) {
  EXPECT_EQ(constant_text<float>({0.1f, -0.0f, 1e-45f, std::numeric_limits<float>::infinity()}),
            "{0.1, -0, 1e-45, inf}");
  EXPECT_EQ(constant_text<float>({std::bit_cast<float>(0x7fc00001u)}), "{nan:0x7fc00001}");
  EXPECT_EQ(constant_text<double>({0.1, -1e308}), "{0.1, -1e+308}");
  EXPECT_EQ(constant_text<double>({std::bit_cast<double>(0xfff8000000000005ull)}),
            "{nan:0xfff8000000000005}");
  EXPECT_EQ(constant_text<Float16>({Float16(0.5f), std::bit_cast<Float16>(std::uint16_t{0x7e01})}),
            "{0.5, nan:0x7e01}");
  EXPECT_EQ(constant_text<bool>({true, false}), "{true, false}");
  EXPECT_EQ(constant_text<std::uint8_t>({255}), "{255}");
  EXPECT_EQ(constant_text<std::int64_t>({std::numeric_limits<std::int64_t>::min()}),
            "{-9223372036854775808}");
}

TEST(Print, LongConstantsCanBeCut) {
  Builder b;
  const Value x = constant(b, make_tensor<std::int32_t>({6}, {1, 2, 3, 4, 5, 6}));
  const Graph graph = std::move(b).finish({x});
  EXPECT_NE(print(graph, {.longest_constant = 5}).find("value=i32[6]{1, 2, 3, 4, ...}"),
            std::string::npos);
  EXPECT_NE(print(graph, {.longest_constant = 6}).find("{1, 2, 3, 4, 5, 6}"), std::string::npos);
}

TEST(Print, NamesCanBeLeftOut) {
  Builder b;
  const Value x = negate(b, data(b, "x", {DType::f32, {}}));
  b.describe(x.node, {"flip", "a.cpp:1"});
  const Graph graph = std::move(b).finish({x});
  EXPECT_NE(print(graph).find("// flip a.cpp:1"), std::string::npos);
  EXPECT_EQ(print(graph, {.names = false}).find("//"), std::string::npos);
}

}  // namespace
}  // namespace tenon::ir

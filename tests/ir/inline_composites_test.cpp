#include "tenon/ir/inline_composites.h"

#include <gtest/gtest.h>

#include "op_testing.h"
#include "tenon/ir/subgraphs.h"
#include "tenon/ir/verify.h"

namespace tenon::ir {
namespace {

bool keep_none(const Op&) { return false; }

bool has_op(const Graph& graph, std::string_view op) {
  bool found = false;
  for (const Node& node : graph.nodes()) {
    found |= name(node.op) == op;
    for_each_subgraph(node.op, [&](const Graph& inner) { found |= has_op(inner, op); });
  }
  return found;
}

Graph attention_graph() {
  return single_op_graph(Attention{0.5, true}, TensorTypes(3, {DType::f64, {3, 2}}));
}

TEST(InlineComposites, InlinesDefinitionsWithinDefinitions) {
  const Graph graph = attention_graph();
  const Graph inlined = inline_composites(graph, keep_none);
  verify(inlined);
  for (const char* gone : {"attention", "softmax", "custom_gradient"})
    EXPECT_FALSE(has_op(inlined, gone)) << gone;
  const HostTensors inputs = {counting({3, 2}), counting({3, 2}), counting({3, 2})};
  EXPECT_EQ(interpret(graph, inputs), interpret(inlined, inputs));
}

TEST(InlineComposites, KeepsWhatTheBackendHas) {
  const auto keep = [](const Op& op) { return std::holds_alternative<Softmax>(op); };
  const Graph inlined = inline_composites(attention_graph(), keep);
  EXPECT_FALSE(has_op(inlined, "attention"));
  EXPECT_TRUE(has_op(inlined, "softmax"));
  EXPECT_EQ(inline_composites(attention_graph(), [](const Op&) { return true; }),
            attention_graph());
}

TEST(InlineComposites, ReachesSubgraphsAndKeepsTheSignature) {
  Builder body;
  const Value c = body.input({"c", {DType::f32, {4}}, Role::data, {}});
  const Value next = body.add(Softmax{0}, {c});
  Builder b;
  const Value x = b.input({"x", {DType::f32, {4}}, Role::state, {}});
  const Value last = b.add(Scan{GraphRef(std::move(body).finish({next})), 2, 1, 0, false}, {x});
  const Graph graph = std::move(b).finish({{"y", last, 0, Merge::sum}});
  const Graph inlined = inline_composites(graph, keep_none);
  verify(inlined);
  EXPECT_FALSE(has_op(inlined, "softmax"));
  EXPECT_TRUE(std::ranges::equal(inlined.inputs(), graph.inputs()));
  EXPECT_EQ(inlined.outputs()[0].name, "y");
  EXPECT_EQ(inlined.outputs()[0].updates_input, 0u);
}

TEST(InlineComposites, NodesGetTheNameOfTheComposite) {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {4}}, Role::data, {}});
  const Value y = b.add(Softmax{0}, {x});
  b.describe(y.node, {"probabilities", "a.cpp:2"});
  const Graph inlined = inline_composites(std::move(b).finish({y}), keep_none);
  for (std::uint32_t i = 1; i < inlined.nodes().size(); ++i) {
    ASSERT_NE(inlined.info(i), nullptr) << i;
    EXPECT_EQ(inlined.info(i)->name, "probabilities");
  }
}

}  // namespace
}  // namespace tenon::ir

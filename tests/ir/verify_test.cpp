#include "tenon/ir/verify.h"

#include <gtest/gtest.h>

#include "tenon/ir/build.h"

namespace tenon::ir {
namespace {

// x -> negate -> exp, both in and out.
Graph good_graph() {
  Builder b;
  const Value x = b.input({"x", {DType::f32, {2}}, Role::state, {}});
  const Value y = exp(b, negate(b, x));
  return std::move(b).finish({{"y", y, 0, Merge::carry}});
}

// Builders make no broken graphs, so tests reach into one that is not const.
Node& node_of(Graph& graph, std::size_t index) { return const_cast<Node&>(graph.nodes()[index]); }
Output& output_of(Graph& graph) { return const_cast<Output&>(graph.outputs()[0]); }

// The first line of the error; the rest must be the graph's text.
std::string violation(const Graph& graph) {
  try {
    verify(graph);
  } catch (const InternalError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("\ngraph("), std::string::npos) << message;
    const std::string start = "internal error (please report it): ";
    return message.substr(start.size(), message.find('\n') - start.size());
  }
  return "no violation";
}

TEST(Verify, AcceptsGoodGraphs) { EXPECT_EQ(violation(good_graph()), "no violation"); }

TEST(Verify, Operands) {
  Graph graph = good_graph();
  node_of(graph, 1).operands[0] = {2, 0};
  EXPECT_EQ(violation(graph), "%1 (negate) uses %2, which is not an earlier node");
  node_of(graph, 1).operands[0] = {99, 0};
  EXPECT_EQ(violation(graph), "%1 (negate) uses %99, which is not an earlier node");
  node_of(graph, 1).operands[0] = {0, 3};
  EXPECT_EQ(violation(graph), "%1 (negate) uses %0.3, which has 1 results");
}

TEST(Verify, Types) {
  Graph graph = good_graph();
  node_of(graph, 2).results[0] = {DType::f64, {2}};
  EXPECT_EQ(violation(graph), "%2 (exp) has types (f64[2]), inferred (f32[2])");
  graph = good_graph();
  node_of(graph, 1).op = Elementwise{ScalarFunction::add};
  EXPECT_TRUE(violation(graph).starts_with("%1 is not well typed: add: ")) << violation(graph);
}

TEST(Verify, Signature) {
  Graph graph = good_graph();
  node_of(graph, 0).op = Parameter{1, {DType::f32, {2}}};
  EXPECT_EQ(violation(graph), "%0 reads input 1 of 1");
  graph = good_graph();
  const_cast<Input&>(graph.inputs()[0]).type = {DType::f32, {3}};
  EXPECT_EQ(violation(graph), "%0 reads input 0 as f32[2], it is f32[3]");
  graph = good_graph();
  output_of(graph).value = {7, 0};
  EXPECT_EQ(violation(graph), "output 0 is %7.0, which does not exist");
  graph = good_graph();
  output_of(graph).updates_input = 4;
  EXPECT_EQ(violation(graph), "output 0 updates input 4 of 1");

  Builder twice;
  const Value x = twice.input({"x", {DType::f32, {}}, Role::data, {}});
  twice.input({"z", {DType::f32, {}}, Role::data, {}});
  graph = std::move(twice).finish({x});
  node_of(graph, 1).op = Parameter{0, {DType::f32, {}}};
  EXPECT_EQ(violation(graph), "%1 reads input 0 a second time");
}

TEST(Verify, Subgraphs) {
  Builder body;
  const Value c = body.input({"c", {DType::f32, {}}, Role::data, {}});
  const Value negated = negate(body, c);
  Graph inner = std::move(body).finish({negated});
  node_of(inner, 1).operands[0] = {1, 0};
  const Scan scan{GraphRef(std::move(inner)), 3, 1, 0, false};
  Builder b;
  const Value x = b.input({"x", {DType::f32, {}}, Role::data, {}});
  const Value last = b.add(scan, {x});
  const Graph graph = std::move(b).finish({last});
  EXPECT_EQ(violation(graph), "%1 (negate) uses %1, which is not an earlier node");
}

}  // namespace
}  // namespace tenon::ir

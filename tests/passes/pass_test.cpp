#include "../error_of.h"
#include "same_after.h"
#include "tenon/ir/print.h"

namespace tenon::testing {
namespace {
using namespace ir;

Graph small_graph() {
  Program p;
  const Value x = p.input(DType::f32, {2});
  return p.done({negate(p.b, negate(p.b, x))});
}

TEST(RunPasses, RunsTheStandardListAndReports) {
  const passes::PassResult result = passes::run_passes(small_graph());
  ASSERT_EQ(result.times.size(), passes::standard_passes().size());
  EXPECT_EQ(result.times[0].name, "inline_composites");
  EXPECT_EQ(result.times[0].nodes_before, 3u);
  EXPECT_EQ(result.graph.nodes().size(), 1u);
  for (const passes::PassTime& time : result.times) EXPECT_GE(time.seconds, 0);
}

TEST(RunPasses, SkipsAndStops) {
  passes::PassOptions options;
  options.skip = {"simplify", "simplify_moved"};
  EXPECT_EQ(passes::run_passes(small_graph(), options).graph.nodes().size(), 3u);
  options.skip.clear();
  options.stop_after = "fold_constants";
  const passes::PassResult stopped = passes::run_passes(small_graph(), options);
  EXPECT_EQ(stopped.times.back().name, "fold_constants");
  EXPECT_EQ(stopped.graph.nodes().size(), 3u);
}

TEST(RunPasses, UnknownNamesAreErrors) {
  passes::PassOptions options;
  options.skip = {"simplfy"};
  EXPECT_EQ(
      error_of<UserError>([&] { passes::run_passes(small_graph(), options); }),
      "there is no pass named \"simplfy\" among inline_composites, widen_products, merge_scans, "
      "remove_dead, hoist_sums, hoist, fold_constants, simplify, move, merge_padding, fold_moved, "
      "simplify_moved, reuse_activations, gather_scattered, remove_unused; did you mean "
      "\"simplify\"?");
  options.skip = {"inline_composites"};
  EXPECT_EQ(error_of<UserError>([&] { passes::run_passes(small_graph(), options); }),
            "pass inline_composites cannot be left out");
  options.skip.clear();
  options.stop_after = "x";
  EXPECT_NE(error_of<UserError>([&] { passes::run_passes(small_graph(), options); }), "no error");
}

TEST(RunPasses, ShowsTheGraphBeforeAndAfter) {
  passes::PassOptions options;
  std::vector<std::string> changed;
  options.observe = [&](std::string_view pass, const Graph& before, const Graph& after) {
    if (print(before) != print(after)) changed.emplace_back(pass);
  };
  passes::run_passes(small_graph(), options);
  EXPECT_EQ(changed, std::vector<std::string>{"simplify"});
}

TEST(RunPasses, NamesThePassThatBrokeTheGraph) {
  const passes::Pass breaking[] = {{"break", [](const Graph& graph, const passes::PassContext&) {
                                      Graph broken = graph;
                                      auto& node = const_cast<Node&>(broken.nodes()[1]);
                                      node.results[0].shape = {7};
                                      return broken;
                                    }}};
  const std::string message =
      error_of<InternalError>([&] { passes::run_passes(small_graph(), {}, breaking); });
  EXPECT_TRUE(message.starts_with("after pass break: internal error")) << message;
}

TEST(RunPasses, KeepsTheCompositesTheBackendHas) {
  Program p;
  const Value x = p.input(DType::f32, {2, 3});
  const Graph graph = p.done({p.b.add(Softmax{1}, {p.b.add(LogSoftmax{1}, {x})})});
  passes::PassOptions options;
  options.context.keep = [](const Op& op) { return std::holds_alternative<Softmax>(op); };
  const Graph after = passes::run_passes(graph, options).graph;
  EXPECT_EQ(count_ops(after, "softmax"), 1);
  EXPECT_EQ(count_ops(after, "log_softmax"), 0);
  expect_same_values(graph, after, "pipeline");
}

TEST(Rewrite, NamesTravelToReplacements) {
  Program p;
  const Value x = p.input(DType::f32, {2});
  const Value y = multiply(p.b, x, splat(p.b, -1, p.b.type(x)));
  p.b.describe(y.node, {"flip", "a.cpp:3"});
  const Graph after = after_rule("multiply_minus_one", p.done({y}));
  ASSERT_NE(after.info(1), nullptr);
  EXPECT_EQ(after.info(1)->name, "flip");
}

TEST(Rewrite, StopsRulesThatNeverEnd) {
  const passes::Rule rules[] = {{"flip", [](const passes::Match& m) -> Replacement {
                                   if (!std::holds_alternative<Elementwise>(m.op))
                                     return std::nullopt;
                                   return passes::replace_with(m.builder.add(m.op, m.operands));
                                 }}};
  passes::RewriteReport report;
  passes::rewrite(small_graph(), rules, &report);
  EXPECT_FALSE(report.finished);
  EXPECT_EQ(report.rounds, passes::kMostRounds);
}

TEST(Rewrite, ReachesSubgraphs) {
  Builder body;
  const Value c = body.input({"c", {DType::f32, {}}, Role::data, {}});
  const Value same = negate(body, negate(body, c));
  Program p;
  const Value x = p.input(DType::f32, {});
  const Scan scan{GraphRef(std::move(body).finish({same})), 3, 1, 0, false};
  const Graph after = after_rule("twice_undone", p.done({p.b.add(scan, {x})}));
  EXPECT_EQ(std::get<Scan>(after.node(1).op).body->nodes().size(), 1u);
}

}  // namespace
}  // namespace tenon::testing

#include <gtest/gtest.h>

#include "random_graph.h"
#include "random_inputs.h"
#include "same_value.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"
#include "tenon/ir/verify.h"
#include "tenon/passes/passes.h"

namespace tenon::fuzz {
namespace {

class EachPass : public ::testing::TestWithParam<passes::Pass> {};

TEST_P(EachPass, KeepsTheValueBitForBit) {
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    const ir::Graph before = random_graph(seed);
    const ir::Graph after = GetParam().run(before, {});
    ir::verify(after);
    const std::vector<HostTensor> inputs = random_inputs(before, seed);
    const std::string text =
        testing::difference(ir::interpret(before, inputs), ir::interpret(after, inputs));
    ASSERT_EQ(text, "") << "seed " << seed << "\n" << ir::print(before) << ir::print(after);
  }
}

INSTANTIATE_TEST_SUITE_P(Passes, EachPass,
                         ::testing::ValuesIn(passes::standard_passes().begin(),
                                             passes::standard_passes().end()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Pipeline, KeepsTheValueBitForBit) {
  for (std::uint64_t seed = 1000; seed < 1250; ++seed) {
    const ir::Graph before = random_graph(seed);
    const ir::Graph after = passes::run_passes(before).graph;
    const std::vector<HostTensor> inputs = random_inputs(before, seed);
    const std::string text =
        testing::difference(ir::interpret(before, inputs), ir::interpret(after, inputs));
    ASSERT_EQ(text, "") << "seed " << seed << "\n" << ir::print(before) << ir::print(after);
  }
}

TEST(Rules, AllApplyAndAlwaysEnd) {
  std::map<std::string_view, int> applied;
  const auto run = [&](const ir::Graph& graph, std::span<const passes::Rule> rules) {
    passes::RewriteReport report;
    const ir::Graph after = passes::rewrite(graph, rules, &report);
    EXPECT_TRUE(report.finished) << ir::print(graph);
    for (const auto& [name, count] : report.applied) applied[name] += count;
    return after;
  };
  std::vector<passes::Rule> every;
  for (const auto rules : {passes::constant_rules(), passes::arithmetic_rules(),
                           passes::trivial_movement_rules(), passes::movement_rules()})
    every.insert(every.end(), rules.begin(), rules.end());
  for (std::uint64_t seed = 2000; seed < 2600; ++seed) {
    const ir::Graph graph = random_graph(seed);
    // All rules at once, so that none undoes another.
    run(passes::inline_composites(graph, {}), every);
  }
  for (const passes::Rule& rule : every)
    EXPECT_GT(applied[rule.name], 0) << rule.name << " never applied";
}

}  // namespace
}  // namespace tenon::fuzz

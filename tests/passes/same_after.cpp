#include "same_after.h"

#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"
#include "tenon/ir/verify.h"
#include "tests/fuzz/random_inputs.h"
#include "tests/fuzz/same_value.h"

namespace tenon::testing {
using passes::Rule;

namespace {

Rule find_rule(std::string_view name) {
  for (const auto rules : {passes::constant_rules(), passes::arithmetic_rules(),
                           passes::trivial_movement_rules(), passes::movement_rules()})
    for (const Rule& rule : rules)
      if (rule.name == name) return rule;
  throw UserError(fmt::format("no rule named {}", name));
}

}  // namespace

int count_ops(const ir::Graph& graph, std::string_view name) {
  int count = 0;
  for (const ir::Node& node : graph.nodes()) count += ir::name(node.op) == name;
  return count;
}

void expect_same_values(const ir::Graph& before, const ir::Graph& after, std::string_view what) {
  ir::verify(after);
  ASSERT_TRUE(std::ranges::equal(before.inputs(), after.inputs()));
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto inputs = fuzz::random_inputs(before, seed);
    const auto text = difference(ir::interpret(before, inputs), ir::interpret(after, inputs));
    ASSERT_EQ(text, "") << what << "\n" << ir::print(before) << ir::print(after);
  }
}

ir::Graph after_rule(std::string_view rule, const ir::Graph& graph) {
  passes::RewriteReport report;
  const Rule rules[] = {find_rule(rule)};
  ir::Graph after = passes::rewrite(graph, rules, &report);
  EXPECT_GT(report.applied[rules[0].name], 0) << rule << " did not apply\n" << ir::print(graph);
  EXPECT_TRUE(report.finished);
  expect_same_values(graph, after, rule);
  return after;
}

void expect_no_rule(std::string_view rule, const ir::Graph& graph) {
  passes::RewriteReport report;
  const Rule rules[] = {find_rule(rule)};
  const ir::Graph after = passes::rewrite(graph, rules, &report);
  EXPECT_EQ(report.applied[rules[0].name], 0) << rule << " applied\n" << ir::print(after);
}

}  // namespace tenon::testing

// The suite that every op is in by existing: each case runs, and derivatives are derivatives.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "case.h"
#include "finite_difference.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/parse.h"
#include "tenon/ir/print.h"
#include "tolerance.h"

namespace tenon::conformance {
namespace {

const std::vector<Case>& every_case() {
  static const std::vector<Case> all = all_cases();
  return all;
}

TEST(Conformance, NamesAreUnique) {
  std::set<std::string> names;
  for (const Case& c : every_case()) EXPECT_TRUE(names.insert(c.name).second) << c.name;
}

// The text holds all that an op means, sub-graphs included, and evaluation keeps the type rules.
TEST(Conformance, EveryCaseGivesItsTypesAndTheSameBitsFromItsText) {
  for (const Case& c : every_case()) {
    SCOPED_TRACE(c.name);
    try {
      const ir::HostTensors results = ir::interpret(c.graph, c.inputs);
      const ir::HostTensors again = ir::interpret(ir::parse(ir::print(c.graph)), c.inputs);
      const Tolerance tolerance = tolerance_of(c);
      EXPECT_TRUE(std::isfinite(tolerance.ulps) && std::isfinite(tolerance.absolute));
      ASSERT_EQ(results.size(), c.graph.outputs().size());
      ASSERT_EQ(again.size(), results.size());
      for (std::size_t i = 0; i < results.size(); ++i) {
        EXPECT_EQ(results[i].type(), c.graph.type(c.graph.outputs()[i].value));
        compare(results[i], again[i], {});
      }
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

// Every element type an op accepts must occur; types are counted over inputs and results.
TEST(Conformance, EveryElementwiseFunctionRunsOnEveryTypeItTakes) {
  std::set<std::pair<ScalarFunction, DType>> seen;
  for (const Case& c : every_case())
    for (const ir::Node& node : c.graph.nodes())
      if (const auto* op = std::get_if<ir::Elementwise>(&node.op))
        seen.insert({op->function, c.graph.type(node.operands[0]).dtype});
  for (const ScalarFunctionInfo& row : kScalarFunctions)
    for (const DType dtype : kAllDTypes)
      EXPECT_EQ(seen.contains({row.function, dtype}), accepts(row.function, dtype))
          << row.name << " " << name(dtype);
}

constexpr double kLargestGradientError = 2e-6;

void expect_gradient(const Case& c, const char* order,
                     GradientCheck (*check)(const ir::Graph&, std::span<const HostTensor>,
                                            std::uint64_t),
                     std::uint64_t seed) {
  try {
    const GradientCheck found = check(c.graph, c.inputs, seed);
    EXPECT_LE(found.error, kLargestGradientError) << c.name << ", " << order << ": " << found.where;
  } catch (const Error& error) {
    ADD_FAILURE() << c.name << ", " << order << ": " << error.what();
  }
}

TEST(Conformance, FirstDerivativesAgreeWithFiniteDifferences) {
  for (const Case& c : every_case())
    if (c.has_gradient) expect_gradient(c, "first derivative", check_gradient, 1);
}

TEST(Conformance, SecondDerivativesAgreeWithFiniteDifferences) {
  for (const Case& c : every_case())
    if (c.has_gradient) expect_gradient(c, "second derivative", check_second_gradient, 2);
}

}  // namespace
}  // namespace tenon::conformance

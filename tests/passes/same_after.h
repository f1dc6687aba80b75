// Checks a rewrite by evaluation: the same values, bit for bit, and the rule did something.
#pragma once
#include <gtest/gtest.h>

#include "tenon/ir/graph.h"
#include "tenon/passes/passes.h"

namespace tenon::testing {

// A graph under construction with inputs of the given types.
struct Program {
  ir::Builder b;
  ir::Value input(DType dtype, Shape shape) {
    return b.input({fmt::format("x{}", b.inputs().size()), {dtype, std::move(shape)}, {}, {}});
  }
  ir::Graph done(std::vector<ir::Value> outputs) {
    return std::move(b).finish(std::span<const ir::Value>(outputs));
  }
};

// Number of nodes whose op prints under this name, sub-graphs not counted.
int count_ops(const ir::Graph& graph, std::string_view name);

// Applies the one named rule, checks that it applied and ended, that the graph verifies and that
// several random inputs (with NaN, infinities and both zeros) give the same bits. Returns it.
ir::Graph after_rule(std::string_view rule, const ir::Graph& graph);
// Checks that the rule leaves the graph alone.
void expect_no_rule(std::string_view rule, const ir::Graph& graph);
// The same value check for any two graphs.
void expect_same_values(const ir::Graph& before, const ir::Graph& after, std::string_view what);

}  // namespace tenon::testing

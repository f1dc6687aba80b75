// Every conformance case, one kernel for each node, run by the kernel evaluator for every target.
#include "tenon/ir/inline_composites.h"
#include "tenon/ir/interpret.h"
#include "tests/conformance/case.h"
#include "tests/lower/evaluate_regions.h"

namespace tenon::lower {
namespace {

bool has_sub_graphs(const ir::Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [](const ir::Node& node) {
    return fusability(node.op) == Fusability::structural &&
           !std::holds_alternative<ir::Parameter>(node.op) &&
           !std::holds_alternative<ir::Constant>(node.op);
  });
}

double tolerance_of(const ir::Graph& graph) {
  double tolerance = 1e-14;
  for (const ir::Node& node : graph.nodes())
    for (const TensorType& type : node.results) {
      if (type.dtype == DType::f32) tolerance = std::max(tolerance, 1e-5);
      if (type.dtype == DType::f16) tolerance = std::max(tolerance, 2e-3);
      if (type.dtype == DType::bf16) tolerance = std::max(tolerance, 1e-2);
    }
  return tolerance;
}

TEST(OpCases, EveryNodeAloneAgreesWithTheReference) {
  const char* wanted = std::getenv("TENON_TEST_CASES");
  int failures = 0;
  for (const conformance::Case& c : conformance::all_cases()) {
    if (wanted != nullptr && c.name.find(wanted) == std::string::npos) continue;
    const ir::Graph graph = ir::inline_composites(
        c.graph, [](const ir::Op& op) { return std::holds_alternative<ir::RandomBits>(op); });
    if (has_sub_graphs(graph)) continue;
    const ir::HostTensors expected = ir::interpret(graph, c.inputs);
    for (const Target& target : test_targets()) {
      std::string problem;
      try {
        const ir::HostTensors found =
            evaluate_regions(graph, regions_of_single_nodes(graph), target, c.inputs);
        for (std::size_t i = 0; i < expected.size() && problem.empty(); ++i)
          problem = compare(found[i], expected[i], tolerance_of(graph));
      } catch (const std::exception& error) {
        problem = error.what();
      }
      if (problem.empty()) continue;
      ADD_FAILURE() << c.name << " on target " << (&target - test_targets().data()) << ": "
                    << problem;
      if (++failures > 20) return;
      break;
    }
  }
}

}  // namespace
}  // namespace tenon::lower

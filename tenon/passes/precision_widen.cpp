#include "tenon/ir/build.h"
#include "tenon/ir/rebuild.h"
#include "tenon/ir/subgraphs.h"
#include "tenon/passes/precision.h"

namespace tenon::passes {
using namespace ir;

namespace {

// The product with its f32 sums as they are.
Op unrounded(Op op) {
  if (auto* dot = std::get_if<Dot>(&op)) dot->result = DType::f32;
  if (auto* convolution = std::get_if<Convolution>(&op)) convolution->result = DType::f32;
  return op;
}

Graph widen_in(const Graph& graph) {
  return rebuild(graph, [](const RebuildNode& node) -> Replacement {
    Builder& b = node.builder;
    if (has_subgraphs(node.op))
      return b.results(b.add(map_subgraphs(node.op, widen_in), node.operands));
    const DType result = node.graph.node(node.index).results[0].dtype;
    if (precision_role(node.op) != PrecisionRole::narrow || !is_float(result) ||
        result == DType::f64)
      return std::nullopt;
    if (!is_narrow_float(b.type(node.operands[0]).dtype)) return std::nullopt;
    std::vector<Value> operands;
    for (const Value operand : node.operands) operands.push_back(cast(b, operand, DType::f32));
    return std::vector<Value>{cast(b, b.add(unrounded(node.op), operands), result)};
  });
}

}  // namespace

Graph widen_products(const Graph& graph, const PassContext& context) {
  return context.widens_products ? widen_in(graph) : graph;
}

}  // namespace tenon::passes

#include <cmath>

#include "tenon/ir/rebuild.h"
#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

// select(x <= 0, 0, x), both zeros one value.
struct Relu {
  Value mask, zero, x;
};

std::optional<Relu> relu_of(const Graph& graph, const Node& node) {
  if (!std::holds_alternative<Select>(node.op)) return std::nullopt;
  const Relu relu{node.operands[0], node.operands[1], node.operands[2]};
  const Node& mask = graph.node(relu.mask.node);
  const auto* compare = std::get_if<Elementwise>(&mask.op);
  if (compare == nullptr || compare->function != ScalarFunction::less_equal) return std::nullopt;
  if (mask.operands[0] != relu.x || mask.operands[1] != relu.zero) return std::nullopt;
  const auto zero = splat_value(graph, relu.zero);
  if (!zero || *zero != 0 || std::signbit(*zero)) return std::nullopt;
  return relu;
}

}  // namespace

// y <= 0 exactly where x <= 0: nowhere that x, and so y, is not a number. Two products read y: a
// layer and the gradient of its weights, for which y is kept.
Graph reuse_activations(const Graph& graph, const PassContext&) {
  const std::vector<bool> live = live_nodes(graph);
  std::map<Value, int> products;  // that read a value
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.node(i);
    if (!live[i] ||
        (!std::holds_alternative<Dot>(node.op) && !std::holds_alternative<Convolution>(node.op)))
      continue;
    for (const Value operand : node.operands) ++products[operand];
  }
  std::map<Value, Relu> by_mask;
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const auto relu = relu_of(graph, graph.node(i));
    if (live[i] && relu && products[{i, 0}] >= 2) by_mask.emplace(relu->mask, *relu);
  }
  if (by_mask.empty()) return graph;
  return rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    const Node& old = graph.node(node.index);
    if (!std::holds_alternative<Select>(node.op)) return std::nullopt;
    const auto found = by_mask.find(old.operands[0]);
    if (found == by_mask.end() || old.operands[2] == found->second.x) return std::nullopt;
    Builder& b = node.builder;
    const Value mask = node.operands[0];
    const Value x = b.node(mask.node).operands[0], zero = b.node(mask.node).operands[1];
    const Value y = b.add(Select{}, {mask, zero, x});
    const Value same = b.add(Elementwise{ScalarFunction::less_equal}, {y, zero});
    return replace_with(b.add(Select{}, {same, node.operands[1], node.operands[2]}));
  });
}

}  // namespace tenon::passes

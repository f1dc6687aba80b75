#include "tenon/cli/flops.h"

#include "tenon/ir/inline_composites.h"

namespace tenon::cli {
namespace {

double extent_product(const Shape& shape, const Axes& axes) {
  double product = 1;
  for (const std::int64_t axis : axes)
    product *= static_cast<double>(shape[static_cast<std::size_t>(axis)]);
  return product;
}

double result_size(const ir::Node& node) {
  return static_cast<double>(element_count(node.results.front().shape));
}

double flops_of(const ir::Graph& graph, const ir::Node& node) {
  if (const auto* dot = std::get_if<ir::Dot>(&node.op))
    return 2 * result_size(node) *
           extent_product(graph.type(node.operands[0]).shape, dot->lhs_contracting);
  if (const auto* convolution = std::get_if<ir::Convolution>(&node.op)) {
    const Shape& kernel = graph.type(node.operands[1]).shape;
    Axes axes = convolution->kernel_spatial;
    axes.push_back(convolution->kernel_input);
    return 2 * result_size(node) * extent_product(kernel, axes);
  }
  if (const auto* scan = std::get_if<ir::Scan>(&node.op))
    return static_cast<double>(scan->length) * count_flops(*scan->body);
  if (const auto* custom = std::get_if<ir::CustomGradient>(&node.op))
    return count_flops(*custom->forward);
  if (const auto* cond = std::get_if<ir::Cond>(&node.op))
    return std::max(count_flops(*cond->on_true), count_flops(*cond->on_false));
  ir::TensorTypes types;
  for (const ir::Value operand : node.operands) types.push_back(graph.type(operand));
  const std::optional<ir::Graph> definition = ir::definition_of(node.op, types);
  return definition ? count_flops(*definition) : 0;
}

}  // namespace

double count_flops(const ir::Graph& graph) {
  double sum = 0;
  for (const ir::Node& node : graph.nodes()) sum += flops_of(graph, node);
  return sum;
}

}  // namespace tenon::cli

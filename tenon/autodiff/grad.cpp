#include "tenon/autodiff/grad.h"

#include "tenon/ir/build.h"

namespace tenon::autodiff {
using namespace ir;

std::vector<Value> append_gradients(Builder& builder, std::span<const Value> outputs,
                                    std::span<const Value> cotangents, std::span<const Value> wrt) {
  check(outputs.size() == cotangents.size(), "{} cotangents for {} outputs", cotangents.size(),
        outputs.size());
  for (const Value value : wrt)
    require(is_float(builder.type(value).dtype),
            "gradient: cannot differentiate with respect to a value of type {}; only floats have "
            "gradients",
            builder.type(value));
  const std::uint32_t node_count = builder.node_count();

  // Only nodes that depend on `wrt` get cotangents.
  std::vector<bool> depends(node_count);
  for (const Value value : wrt) depends[value.node] = true;
  for (std::uint32_t i = 0; i < node_count; ++i)
    for (const Value operand : builder.node(i).operands)
      if (depends[operand.node]) depends[i] = true;

  std::vector<std::vector<std::optional<Value>>> gradient_of(node_count);
  const auto accumulate = [&](Value target, Value contribution) {
    check(builder.type(target) == builder.type(contribution), "gradient of {} has type {}, not {}",
          name(builder.node(target.node).op), builder.type(contribution), builder.type(target));
    auto& all = gradient_of[target.node];
    if (all.empty()) all.resize(builder.node(target.node).results.size());
    auto& total = all[target.result];
    total = total ? ir::add(builder, *total, contribution) : contribution;
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    check(builder.type(outputs[i]) == builder.type(cotangents[i]), "cotangent {} is {}, not {}", i,
          builder.type(cotangents[i]), builder.type(outputs[i]));
    if (is_float(builder.type(outputs[i]).dtype)) accumulate(outputs[i], cotangents[i]);
  }

  std::vector<std::shared_ptr<const Origin>> origins;  // of the nodes from node_count on
  static const std::function<VectorJacobian(const Graph&)> differentiate_graph = differentiate;
  for (std::uint32_t i = node_count; i-- > 0;) {
    if (!depends[i] || gradient_of[i].empty()) continue;
    const Node node = builder.node(i);  // a copy: the rule appends to the builder
    if (node.operands.empty()) continue;
    std::vector<Value> results;
    for (std::uint32_t k = 0; k < node.results.size(); ++k) results.push_back({i, k});
    const Gradients contributions =
        gradient(node.op, {builder, node.operands, results, gradient_of[i], differentiate_graph});
    check(contributions.size() == node.operands.size(), "gradient of {} has {} entries, not {}",
          name(node.op), contributions.size(), node.operands.size());
    for (std::size_t k = 0; k < contributions.size(); ++k)
      if (contributions[k] && depends[node.operands[k].node] &&
          is_float(builder.type(node.operands[k]).dtype))
        accumulate(node.operands[k], *contributions[k]);
    const NodeInfo* info = builder.info(i);
    origins.resize(builder.node_count() - node_count, info == nullptr ? nullptr : info->origin);
  }

  origins.resize(builder.node_count() - node_count);
  for (std::uint32_t i = node_count; i < builder.node_count(); ++i)
    builder.describe(i, {.name = {},
                         .location = {},
                         .is_derivative = true,
                         .origin = std::move(origins[i - node_count])});

  std::vector<Value> result;
  for (const Value value : wrt) {
    const auto& all = gradient_of[value.node];
    const bool flows = !all.empty() && all[value.result];
    result.push_back(flows ? *all[value.result] : zeros_like(builder, value));
  }
  return result;
}

std::vector<Value> append_gradients(Builder& builder, Value loss, std::span<const Value> wrt) {
  const TensorType type = builder.type(loss);
  require(type.shape.empty() && is_float(type.dtype),
          "gradient: the loss must be a float scalar, got {}; reduce it first (mean or sum)", type);
  const Value one = splat(builder, 1, type);
  return append_gradients(builder, std::array{loss}, std::array{one}, wrt);
}

VectorJacobian differentiate(const Graph& graph) {
  VectorJacobian result;
  std::vector<Value> inputs;
  Builder builder = builder_with_inputs_of(graph, inputs);
  const std::vector<Value> outputs = inline_graph(builder, graph, inputs);
  std::vector<Value> float_outputs, cotangents, wrt;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorType type = builder.type(outputs[i]);
    result.cotangent_input.emplace_back();
    if (!is_float(type.dtype)) continue;
    result.cotangent_input.back() = static_cast<std::uint32_t>(builder.inputs().size());
    cotangents.push_back(
        builder.input({fmt::format("cotangent_{}", i), type, Role::data, Sharding{}}));
    float_outputs.push_back(outputs[i]);
  }
  for (const Value input : inputs) {
    result.gradient_output.emplace_back();
    if (!is_float(builder.type(input).dtype)) continue;
    result.gradient_output.back() = static_cast<std::uint32_t>(wrt.size());
    wrt.push_back(input);
  }
  const std::vector<Value> gradients = append_gradients(builder, float_outputs, cotangents, wrt);
  result.graph = GraphRef(std::move(builder).finish(gradients));
  return result;
}

}  // namespace tenon::autodiff

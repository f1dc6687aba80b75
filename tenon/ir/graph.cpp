#include "tenon/ir/graph.h"

#include "tenon/base/interruption.h"
#include "tenon/ir/fields.h"

namespace tenon::ir {

const NodeInfo* Graph::info(std::uint32_t node) const {
  const auto found = info_.find(node);
  return found == info_.end() ? nullptr : &found->second;
}

std::uint64_t Graph::hash() const {
  FieldHasher hasher;
  for (const Node& node : nodes_) {
    hasher.mix(ir::hash(node.op));
    for (const Value operand : node.operands) hasher.mix(operand.node * 64ull + operand.result);
  }
  for (const Input& input : inputs_) {
    hasher.add(input.name);
    hasher.add(input.type);
    hasher.add(input.role);
    hasher.add(input.sharding);
  }
  for (const Output& output : outputs_) {
    hasher.add(output.name);
    hasher.mix(output.value.node * 64ull + output.value.result);
    hasher.mix(output.updates_input ? *output.updates_input + 1 : 0);
    hasher.add(output.merge);
  }
  return hasher.state;
}

Value Builder::add(Op op, std::span<const Value> operands) {
  interruption_point();  // tracing, differentiating and the passes all come by here
  std::vector<TensorType> types;
  types.reserve(operands.size());
  for (const Value operand : operands) {
    check(operand.node < node_count() && operand.result < node(operand.node).results.size(),
          "operand %{}.{} of {} does not exist", operand.node, operand.result, name(op));
    types.push_back(type(operand));
  }
  FieldHasher hasher{ir::hash(op)};
  for (const Value operand : operands) hasher.mix(operand.node * 64ull + operand.result);
  const auto [first, last] = nodes_by_hash_.equal_range(hasher.state);
  for (auto found = first; found != last; ++found) {
    const Node& same = node(found->second);
    if (same.op == op && std::ranges::equal(same.operands, operands)) return {found->second, 0};
  }
  std::vector<TensorType> results = infer_types(op, types);
  graph_.nodes_.push_back({std::move(op), {operands.begin(), operands.end()}, std::move(results)});
  nodes_by_hash_.insert({hasher.state, node_count() - 1});
  return {node_count() - 1, 0};
}

Value Builder::input(Input input) {
  Parameter parameter{static_cast<std::int64_t>(graph_.inputs_.size()), input.type};
  graph_.inputs_.push_back(std::move(input));
  return add(std::move(parameter), {});
}

std::vector<Value> Builder::results(Value value) const {
  std::vector<Value> all;
  for (std::uint32_t i = 0; i < node(value.node).results.size(); ++i)
    all.push_back({value.node, i});
  return all;
}

void Builder::describe(std::uint32_t node, NodeInfo info) {
  const auto [known, is_new] = graph_.info_.try_emplace(node, std::move(info));
  if (is_new) return;
  NodeInfo& old = known->second;
  const bool has_origin_alone = old.origin != nullptr && old.name.empty() && !old.is_derivative;
  if (old.origin == nullptr) old.origin = std::move(info.origin);
  if (!old.name.empty()) return;
  if (has_origin_alone) old.is_derivative = info.is_derivative;
  old.name = std::move(info.name);
  old.location = std::move(info.location);
}

Graph Builder::finish(std::vector<Output> outputs) && {
  std::vector<bool> updated(graph_.inputs_.size());
  for (const Output& output : outputs) {
    check(output.value.node < node_count(), "output \"{}\" does not exist", output.name);
    if (!output.updates_input) continue;
    check(*output.updates_input < updated.size(), "output \"{}\" updates input {} of {}",
          output.name, *output.updates_input, updated.size());
    const Input& input = graph_.inputs_[*output.updates_input];
    require(input.type == type(output.value), "assign: \"{}\" holds {}, the new value is {}",
            input.name, input.type, type(output.value));
    require(!updated[*output.updates_input], "assign: \"{}\" is assigned twice in one step",
            input.name);
    updated[*output.updates_input] = true;
  }
  graph_.outputs_ = std::move(outputs);
  return std::move(graph_);
}

Graph Builder::finish(std::span<const Value> values) && {
  std::vector<Output> outputs;
  for (const Value value : values) outputs.push_back({{}, value, std::nullopt, Merge::carry});
  return std::move(*this).finish(std::move(outputs));
}

std::vector<Value> inline_graph(Builder& builder, const Graph& graph,
                                std::span<const Value> inputs) {
  std::vector<Value> outputs;
  for (const Output& output : graph.outputs()) outputs.push_back(output.value);
  return inline_values(builder, graph, inputs, outputs);
}

std::vector<Value> inline_values(Builder& builder, const Graph& graph,
                                 std::span<const Value> inputs, std::span<const Value> values) {
  check(inputs.size() == graph.inputs().size(), "inline_graph: {} inputs given for {}",
        inputs.size(), graph.inputs().size());
  std::vector<Value> renamed(graph.nodes().size());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.node(i);
    if (const auto* parameter = std::get_if<Parameter>(&node.op)) {
      renamed[i] = inputs[static_cast<std::size_t>(parameter->position)];
      check(builder.type(renamed[i]) == node.results[0], "inline_graph: input {} is {}, not {}",
            parameter->position, builder.type(renamed[i]), node.results[0]);
      continue;
    }
    std::vector<Value> operands;
    for (const Value v : node.operands) {
      const Value base = renamed[v.node];
      operands.push_back({base.node, base.result + v.result});
    }
    renamed[i] = builder.add(node.op, operands);
    if (const NodeInfo* info = graph.info(i)) builder.describe(renamed[i].node, *info);
  }
  std::vector<Value> results;
  for (const Value value : values) {
    const Value base = renamed[value.node];
    results.push_back({base.node, base.result + value.result});
  }
  return results;
}

Builder builder_with_inputs_of(const Graph& graph, std::vector<Value>& inputs) {
  Builder builder;
  inputs.clear();
  for (const Input& input : graph.inputs()) inputs.push_back(builder.input(input));
  return builder;
}

TensorTypes types_of(const Builder& builder, std::span<const Value> values) {
  TensorTypes types;
  for (const Value value : values) types.push_back(builder.type(value));
  return types;
}

TensorTypes input_types(const Graph& graph) {
  TensorTypes types;
  for (const Input& input : graph.inputs()) types.push_back(input.type);
  return types;
}

TensorTypes output_types(const Graph& graph) {
  TensorTypes types;
  for (const Output& output : graph.outputs()) types.push_back(graph.type(output.value));
  return types;
}

}  // namespace tenon::ir

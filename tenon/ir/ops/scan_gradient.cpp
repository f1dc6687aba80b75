#include <algorithm>

#include "tenon/ir/build.h"
#include "tenon/ir/ops/subgraph.h"
#include "tenon/ir/rebuild.h"

namespace tenon::ir {
namespace {

constexpr std::int64_t kLongProduct = 16;  // terms of a sum that is kept rather than made again

// Products and convolutions of carried values: what a step costs most.
bool is_costly(const Graph& body, const Node& node) {
  if (std::holds_alternative<Convolution>(node.op)) return true;
  const auto* dot = std::get_if<Dot>(&node.op);
  if (dot == nullptr) return false;
  std::int64_t terms = 1;
  for (const std::int64_t axis : dot->lhs_contracting)
    terms *= body.type(node.operands[0]).shape[static_cast<std::size_t>(axis)];
  return terms >= kLongProduct;
}

// Values of a step that its gradient reads from memory instead of computing them again: products
// of what is carried, with what is only added to them (a bias, the part of the inputs), whose
// derivative needs no operand. The rest of a step is cheap to make again.
std::vector<Value> kept_values(const Scan& op) {
  const Graph& body = *op.body;
  std::vector<std::vector<std::uint32_t>> users(body.nodes().size());
  std::vector<bool> is_carried(body.nodes().size());
  for (std::uint32_t i = 0; i < body.nodes().size(); ++i) {
    const Node& node = body.node(i);
    if (const auto* parameter = std::get_if<Parameter>(&node.op))
      is_carried[i] = parameter->position < op.carried;
    for (const Value operand : node.operands) {
      users[operand.node].push_back(i);
      if (is_carried[operand.node]) is_carried[i] = true;
    }
  }
  std::vector<bool> is_output(body.nodes().size());
  for (const Output& output : body.outputs()) is_output[output.value.node] = true;
  std::vector<Value> kept;
  for (std::uint32_t i = 0; i < body.nodes().size(); ++i) {
    if (!is_carried[i] || !is_costly(body, body.node(i))) continue;
    std::uint32_t last = i;
    const auto is_added = [&](std::uint32_t user) {
      const auto* function = std::get_if<Elementwise>(&body.node(user).op);
      return function != nullptr && function->function == ScalarFunction::add;
    };
    while (!is_output[last] && users[last].size() == 1 && is_added(users[last].front()))
      last = users[last].front();
    if (!is_output[last] && std::ranges::find(kept, Value{last, 0}) == kept.end())
      kept.push_back({last, 0});
  }
  return kept;
}

// Those that the derivative would make again.
std::vector<Value> needed(const std::vector<Value>& kept, const Graph& body,
                          const Graph& derivative) {
  std::vector<Value> inputs;
  Builder builder = builder_with_inputs_of(derivative, inputs);
  const std::vector<Value> outputs = inline_graph(builder, derivative, inputs);
  const std::vector<Value> made_again =
      inline_values(builder, body, std::span(inputs).first(body.inputs().size()), kept);
  const std::vector<bool> is_live = live_nodes(std::move(builder).finish(outputs));
  std::vector<Value> result;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (is_live[made_again[i].node]) result.push_back(kept[i]);
  return result;
}

// The carried values that each step starts from, then the kept ones, stacked: one more run of the
// loop that also returns them. A pass merges it with the original.
std::vector<Value> saved_values(const Scan& op, const GradientInputs& in,
                                std::span<const Value> kept) {
  if (op.carried == 0) return {};
  std::vector<Value> inputs;
  Builder body = builder_with_inputs_of(*op.body, inputs);
  std::vector<Value> outputs = inline_graph(body, *op.body, inputs);
  const std::vector<Value> kept_outputs = inline_values(body, *op.body, inputs, kept);
  outputs.insert(outputs.end(), inputs.begin(), inputs.begin() + op.carried);
  outputs.insert(outputs.end(), kept_outputs.begin(), kept_outputs.end());
  Scan saving = op;
  saving.body = GraphRef(std::move(body).finish(outputs));
  const Value first = in.builder.add(std::move(saving), in.operands);
  const std::vector<Value> results = in.builder.results(first);
  return {results.end() - op.carried - std::ssize(kept), results.end()};
}

// The graph with inputs in the place of values that are made in it.
Graph with_inputs_for(const Graph& graph, std::span<const Value> values,
                      std::span<const Value> inputs) {
  const Graph replaced = rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    const auto found = std::ranges::find(values, Value{node.index, 0});
    if (found == values.end()) return std::nullopt;
    // Inputs come first in what is rebuilt, in order.
    const Value input = inputs[static_cast<std::size_t>(found - values.begin())];
    const auto& parameter = std::get<Parameter>(graph.node(input.node).op);
    return std::vector{Value{static_cast<std::uint32_t>(parameter.position), 0}};
  });
  // Without what only they needed.
  return rebuild(replaced, [](const RebuildNode&) -> Replacement { return std::nullopt; });
}

}  // namespace

// The loop run the other way. It carries the cotangents of the carried values and the sums of the
// invariants' gradients (in at least f32); each step starts from the carried values saved for it.
Gradients gradient(const Scan& op, const GradientInputs& in) {
  Builder& b = in.builder;
  const auto carried = static_cast<std::size_t>(op.carried);
  const auto invariant = carried + static_cast<std::size_t>(op.scanned);  // the first one
  const std::size_t count = in.operands.size();
  const VectorJacobian jacobian = in.differentiate(*op.body);
  const TensorTypes types = input_types(*op.body);
  const std::vector<Value> kept = needed(kept_values(op), *op.body, *jacobian.graph);
  const std::vector<Value> saved = saved_values(op, in, kept);

  Builder body;
  std::vector<Value> operands;                                    // of the reverse loop
  std::vector<Value> arguments(jacobian.graph->inputs().size());  // of the derivative
  const auto add_input = [&](Value operand, std::string name, const TensorType& type) {
    operands.push_back(operand);
    return body.input({std::move(name), type, Role::data, Sharding{}});
  };
  for (std::size_t i = 0; i < carried; ++i)
    if (const auto slot = jacobian.cotangent_input[i])
      arguments[*slot] =
          add_input(upstream_or_zeros(in, i), fmt::format("cotangent_{}", i), types[i]);
  std::vector<std::optional<Value>> sums(count);
  for (std::size_t i = invariant; i < count; ++i) {
    if (!jacobian.gradient_output[i]) continue;
    const TensorType type{accumulation_type(types[i].dtype), types[i].shape};
    sums[i] = add_input(splat(b, 0, type), fmt::format("gradient_{}", i), type);
  }
  Scan reverse;
  reverse.length = op.length;
  reverse.reverse = !op.reverse;
  reverse.carried = static_cast<std::int64_t>(operands.size());
  for (std::size_t i = 0; i < invariant; ++i)
    arguments[i] =
        add_input(i < carried ? saved[i] : in.operands[i], op.body->inputs()[i].name, types[i]);
  for (std::size_t i = carried; i < in.results.size(); ++i)
    if (const auto slot = jacobian.cotangent_input[i])
      arguments[*slot] = add_input(upstream_or_zeros(in, i), fmt::format("cotangent_{}", i),
                                   op.body->type(op.body->outputs()[i].value));
  std::vector<Value> kept_inputs;
  for (std::size_t i = 0; i < kept.size(); ++i)
    kept_inputs.push_back(
        add_input(saved[carried + i], fmt::format("kept_{}", i), op.body->type(kept[i])));
  reverse.scanned = static_cast<std::int64_t>(operands.size()) - reverse.carried;
  for (std::size_t i = invariant; i < count; ++i)
    arguments[i] = add_input(in.operands[i], op.body->inputs()[i].name, types[i]);

  const std::vector<Value> gradients = inline_graph(body, *jacobian.graph, arguments);
  std::vector<Value> outputs;
  std::vector<std::optional<std::size_t>> result_of(count);  // which result each gradient is
  const auto add_output = [&](std::size_t operand, Value value) {
    result_of[operand] = outputs.size();
    outputs.push_back(value);
  };
  const auto gradient_of = [&](std::size_t i) { return gradients[*jacobian.gradient_output[i]]; };
  for (std::size_t i = 0; i < carried; ++i)
    if (jacobian.gradient_output[i]) add_output(i, gradient_of(i));
  for (std::size_t i = invariant; i < count; ++i)
    if (sums[i])
      add_output(i, add(body, *sums[i], cast(body, gradient_of(i), body.type(*sums[i]).dtype)));
  for (std::size_t i = carried; i < invariant; ++i)
    if (jacobian.gradient_output[i]) add_output(i, gradient_of(i));
  if (outputs.empty()) return Gradients(count);
  // Equal nodes are one, so these are the ones that the derivative computes and reads.
  const std::vector<Value> made_again =
      inline_values(body, *op.body, std::span(arguments).first(count), kept);
  const Graph whole = std::move(body).finish(outputs);
  reverse.body = GraphRef(with_inputs_for(whole, made_again, kept_inputs));
  const std::vector<Value> results = b.results(b.add(std::move(reverse), operands));

  Gradients all(count);
  for (std::size_t i = 0; i < count; ++i)
    if (result_of[i]) all[i] = cast(b, results[*result_of[i]], types[i].dtype);
  return all;
}

}  // namespace tenon::ir

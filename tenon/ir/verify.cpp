#include "tenon/ir/verify.h"

#include "tenon/base/interruption.h"
#include "tenon/ir/print.h"
#include "tenon/ir/subgraphs.h"

namespace tenon::ir {
namespace {

void verify_operands(const Graph& graph, std::uint32_t index) {
  const Node& node = graph.node(index);
  for (const Value operand : node.operands) {
    check(operand.node < index, "%{} ({}) uses %{}, which is not an earlier node", index,
          name(node.op), operand.node);
    const std::size_t results = graph.node(operand.node).results.size();
    check(operand.result < results, "%{} ({}) uses %{}.{}, which has {} results", index,
          name(node.op), operand.node, operand.result, results);
  }
}

void verify_types(const Graph& graph, std::uint32_t index) {
  const Node& node = graph.node(index);
  TensorTypes operands;
  for (const Value operand : node.operands) operands.push_back(graph.type(operand));
  TensorTypes inferred;
  try {
    inferred = infer_types(node.op, operands);
  } catch (const UserError& error) {
    check(false, "%{} is not well typed: {}", index, error.what());
  }
  check(inferred == node.results, "%{} ({}) has types ({}), inferred ({})", index, name(node.op),
        fmt::join(node.results, ", "), fmt::join(inferred, ", "));
}

void verify_signature(const Graph& graph) {
  std::vector<int> readers(graph.inputs().size());
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const auto* parameter = std::get_if<Parameter>(&graph.node(i).op);
    if (parameter == nullptr) continue;
    const auto position = static_cast<std::size_t>(parameter->position);
    check(position < readers.size(), "%{} reads input {} of {}", i, parameter->position,
          readers.size());
    check(graph.inputs()[position].type == parameter->type, "%{} reads input {} as {}, it is {}", i,
          position, parameter->type, graph.inputs()[position].type);
    check(++readers[position] == 1, "%{} reads input {} a second time", i, position);
  }
  for (std::size_t i = 0; i < readers.size(); ++i)
    check(readers[i] == 1, "input {} (\"{}\") has no parameter node", i, graph.inputs()[i].name);

  std::vector<bool> updated(graph.inputs().size());
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Output& output = graph.outputs()[i];
    check(output.value.node < graph.nodes().size() &&
              output.value.result < graph.node(output.value.node).results.size(),
          "output {} is %{}.{}, which does not exist", i, output.value.node, output.value.result);
    if (!output.updates_input) continue;
    const std::uint32_t input = *output.updates_input;
    check(input < updated.size(), "output {} updates input {} of {}", i, input, updated.size());
    check(graph.inputs()[input].type == graph.type(output.value),
          "output {} is {}, the input {} it updates is {}", i, graph.type(output.value), input,
          graph.inputs()[input].type);
    check(!updated[input], "input {} is updated twice", input);
    updated[input] = true;
  }
}

}  // namespace

void verify(const Graph& graph) {
  try {
    for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
      interruption_point();
      verify_operands(graph, i);
      for_each_subgraph(graph.node(i).op, [](const Graph& inner) { verify(inner); });
      verify_types(graph, i);
    }
    verify_signature(graph);
  } catch (const InternalError& error) {
    constexpr std::int64_t kShownConstant = 16;
    throw InternalError(
        fmt::format("{}\n{}", error.what(), print(graph, {.longest_constant = kShownConstant})));
  }
}

}  // namespace tenon::ir

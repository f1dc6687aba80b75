#include "tenon/session/graph_faults.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "tenon/base/text.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/print.h"

namespace tenon {
namespace {

// What running a graph once showed of each node: the faults of each of its results.
struct FaultyRun {
  const ir::Graph& graph;
  std::vector<std::vector<ValueFaults>> of_node;

  const ValueFaults& of(ir::Value value) const { return of_node[value.node][value.result]; }
  bool is_bad(std::uint32_t node, bool nan) const {
    return std::ranges::any_of(of_node[node], [&](const ValueFaults& faults) {
      return nan ? faults.nans > 0 : faults.any();
    });
  }
  bool is_given(std::uint32_t node) const {
    const ir::Op& op = graph.node(node).op;
    return std::holds_alternative<ir::Parameter>(op) || std::holds_alternative<ir::Constant>(op);
  }
};

// Back from a bad value to the node that made it of good ones. NaN is followed before infinity: an
// infinity may be meant (a mask), what it turned into is not.
std::uint32_t origin_of(const FaultyRun& run, std::uint32_t node) {
  for (;;) {
    const bool nan = run.is_bad(node, true);
    std::optional<std::uint32_t> next;
    for (const ir::Value operand : run.graph.node(node).operands) {
      const ValueFaults& faults = run.of(operand);
      const bool leads = nan ? faults.nans > 0 : faults.any();
      if (leads && (!next || operand.node < *next)) next = operand.node;
    }
    // A NaN of infinities comes from where they were made, unless they were given.
    if (!next && nan)
      for (const ir::Value operand : run.graph.node(node).operands)
        if (run.of(operand).any() && !run.is_given(operand.node) && (!next || operand.node < *next))
          next = operand.node;
    if (!next) return node;
    node = *next;
  }
}

// The nearest name after the node, of a layer that its result flows into, or before it.
std::string place_text(const ir::Graph& graph, std::uint32_t node) {
  const auto name_of = [&](std::uint32_t index) -> std::string {
    const ir::NodeInfo* info = graph.info(index);
    if (info == nullptr || info->name.empty()) return "";
    return info->location.empty() ? fmt::format("\"{}\"", info->name)
                                  : fmt::format("\"{}\" ({})", info->name, info->location);
  };
  if (const std::string own = name_of(node); !own.empty()) return "in " + own;
  std::vector<bool> after(graph.nodes().size()), before(graph.nodes().size());
  after[node] = before[node] = true;
  for (std::uint32_t i = node + 1; i < graph.nodes().size(); ++i) {
    for (const ir::Value operand : graph.node(i).operands)
      if (after[operand.node]) after[i] = true;
    if (!after[i]) continue;
    if (const std::string name = name_of(i); !name.empty()) return "on the way to " + name;
  }
  for (std::uint32_t i = node + 1; i-- > 0;) {
    if (!before[i]) continue;
    if (const std::string name = name_of(i); i != node && !name.empty())
      return "after " + name + ", in the loss, its gradient or the update";
    for (const ir::Value operand : graph.node(i).operands) before[operand.node] = true;
  }
  return "";
}

std::string operand_text(const FaultyRun& run, ir::Value operand) {
  const TensorType& type = run.graph.type(operand);
  std::string text = fmt::format("\n    operand  {}", type);
  if (const auto* parameter = std::get_if<ir::Parameter>(&run.graph.node(operand.node).op))
    text += fmt::format(" \"{}\"",
                        run.graph.inputs()[static_cast<std::size_t>(parameter->position)].name);
  const std::string values = faults_text(run.of(operand), element_count(type.shape));
  return text + (values.empty() ? "" : ": " + values);
}

std::string origin_text(const FaultyRun& run, std::uint32_t node) {
  const ir::Node& made = run.graph.node(node);
  const std::string place = place_text(run.graph, node);
  const bool nan = run.is_bad(node, true);
  std::string text = fmt::format("\n  {} made by {}{}", nan ? "NaN" : "an infinity", name(made.op),
                                 place.empty() ? "" : " " + place);
  if (const auto* function = std::get_if<ir::Elementwise>(&made.op))
    text = fmt::format("\n  {} made by {}{}", nan ? "NaN" : "an infinity",
                       info(function->function).name, place.empty() ? "" : " " + place);
  if (const auto* parameter = std::get_if<ir::Parameter>(&made.op))
    return fmt::format("\n  it is there already in \"{}\": {}",
                       run.graph.inputs()[static_cast<std::size_t>(parameter->position)].name,
                       faults_text(run.of_node[node][0], element_count(made.results[0].shape)));
  for (const ir::Value operand : made.operands) text += operand_text(run, operand);
  for (std::size_t i = 0; i < made.results.size(); ++i)
    text += fmt::format("\n    result   {}: {}", made.results[i],
                        faults_text(run.of_node[node][i], element_count(made.results[i].shape)));
  return text;
}

// The first output that is not finite, the loss before the updates.
std::optional<std::uint32_t> bad_output(const FaultyRun& run) {
  for (const ir::Output& output : run.graph.outputs())
    if (run.of(output.value).any()) return output.value.node;
  return std::nullopt;
}

}  // namespace

ValueFaults faults_of(const HostTensor& values) {
  ValueFaults faults;
  if (!is_float(values.dtype())) return faults;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const double value = element_as_double(values, i);
    if (std::isnan(value)) {
      ++faults.nans;
    } else if (std::isinf(value)) {
      ++faults.infinities;
    } else {
      faults.low = faults.has_finite ? std::min(faults.low, value) : value;
      faults.high = faults.has_finite ? std::max(faults.high, value) : value;
      faults.has_finite = true;
    }
  }
  return faults;
}

std::string faults_text(const ValueFaults& faults, std::int64_t size) {
  std::vector<std::string> parts;
  if (faults.nans > 0) parts.push_back(fmt::format("{} NaN", faults.nans));
  if (faults.infinities > 0) parts.push_back(fmt::format("{} infinite", faults.infinities));
  if (!parts.empty()) parts.back() += fmt::format(" of {}", size);
  if (faults.has_finite)
    parts.push_back(fmt::format("from {:.6g} to {:.6g}", faults.low, faults.high));
  return join(parts, ", ");
}

std::string where_not_finite(const Program& program, std::span<const HostTensor> inputs) {
  FaultyRun run{program.graph, {}};
  run.of_node.resize(program.graph.nodes().size());
  for (std::uint32_t i = 0; i < program.graph.nodes().size(); ++i)
    if (const auto* parameter = std::get_if<ir::Parameter>(&program.graph.node(i).op))
      run.of_node[i] = {faults_of(inputs[static_cast<std::size_t>(parameter->position)])};
  std::vector<const HostTensor*> pointers;
  for (const HostTensor& input : inputs) pointers.push_back(&input);
  ir::interpret(program.graph, pointers,
                [&](std::uint32_t node, ir::OperandValues, const ir::HostTensors& results) {
                  for (const HostTensor& result : results)
                    run.of_node[node].push_back(faults_of(result));
                });
  const std::optional<std::uint32_t> bad = bad_output(run);
  if (!bad)
    return "\n  run again by the reference interpreter the batch gives finite numbers: the device, "
           "an "
           "augmentation in the step or a narrow precision made it";
  return origin_text(run, origin_of(run, *bad));
}

std::string graph_text(const ir::Graph& graph) { return ir::print(graph, {.longest_constant = 8}); }

}  // namespace tenon

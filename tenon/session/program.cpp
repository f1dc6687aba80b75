#include "tenon/session/program.h"

#include <unordered_map>

#include "tenon/base/interruption.h"
#include "tenon/base/text.h"
#include "tenon/tensor/build.h"

namespace tenon {
namespace {

const Placeholder& placeholder_of(const Tensor& tensor) {
  const auto trace = tensor.trace();
  const auto* parameter =
      std::get_if<ir::Parameter>(&trace->builder.node(tensor.ir_value().node).op);
  const Placeholder* found =
      parameter == nullptr ? nullptr
                           : std::get_if<Placeholder>(
                                 &trace->sources[static_cast<std::size_t>(parameter->position)]);
  require(found != nullptr, "feed: a tensor of type {} is not a placeholder and cannot be fed",
          tensor.type());
  return *found;
}

// Nodes whose value depends on an input other than `variable`.
std::vector<bool> depending_on_others(const Trace& trace, const Variable& variable) {
  std::vector<bool> depends(trace.builder.node_count());
  for (std::uint32_t i = 0; i < trace.builder.node_count(); ++i) {
    const ir::Node& node = trace.builder.node(i);
    if (const auto* parameter = std::get_if<ir::Parameter>(&node.op)) {
      const InputSource& source = trace.sources[static_cast<std::size_t>(parameter->position)];
      const auto* read = std::get_if<Variable>(&source);
      depends[i] = read == nullptr || !(*read == variable);
    }
    for (const ir::Value operand : node.operands)
      if (depends[operand.node]) depends[i] = true;
  }
  return depends;
}

// An update that a layer asked for belongs to the step if the step computes what the layer made it
// of: a batch's mean. The layer's input alone may also be there for an inference.
bool computes_inputs_of(const Trace::Expected& expected, const Trace& trace,
                        const std::vector<bool>& needed) {
  const std::vector<bool> makes = needed_for(trace.builder, std::array{expected.value});
  std::vector<bool> before(trace.builder.node_count());
  if (expected.input) before = needed_for(trace.builder, std::array{*expected.input});
  const std::vector<bool> depends = depending_on_others(trace, expected.variable);
  for (std::uint32_t i = 0; i < trace.builder.node_count(); ++i)
    if (needed[i] && makes[i] && depends[i] && !before[i] &&
        !std::holds_alternative<ir::Parameter>(trace.builder.node(i).op))
      return true;
  return false;
}

// Training on while running statistics stand still would go unnoticed.
void require_expected_updates(const Trace& trace, std::span<const Update> updates,
                              const std::vector<bool>& needed) {
  std::vector<std::string> forgotten;
  for (const Trace::Expected& expected : trace.expected) {
    interruption_point();
    const bool is_listed = std::ranges::any_of(
        updates, [&](const Update& update) { return update.variable == expected.variable; });
    if (!is_listed && computes_inputs_of(expected, trace, needed))
      forgotten.push_back(in_quotes(expected.variable.name()));
  }
  require(forgotten.empty(),
          "the step updates variables, but not {}, as its layers ask\n  help: return "
          "context.minimize(loss, optimizer), or add context.updates() to the step's updates; "
          "assign(v, Tensor(v)) keeps a variable as it is",
          join(forgotten, ", "));
}

}  // namespace

Program make_program(std::span<const Tensor> fetches, std::span<const Update> updates,
                     std::span<const Tensor> placeholders) {
  std::vector<Tensor> all(fetches.begin(), fetches.end());
  for (const Update& update : updates) all.push_back(update.value);
  std::vector<ir::Value> roots;
  for (const Tensor& p : placeholders) all.push_back(p);
  const std::shared_ptr<Trace> trace = common_trace(all);
  const ir::Builder& source = trace->builder;

  for (const Tensor& fetch : fetches) roots.push_back(fetch.ir_value());
  for (const Update& update : updates) roots.push_back(update.value.ir_value());
  std::vector<bool> needed = needed_for(source, roots);
  if (!updates.empty()) require_expected_updates(*trace, updates, needed);
  std::vector<Trace::Print> prints;
  for (const Trace::Print& print : trace->prints)
    if (needed[print.value.node] && std::ranges::find(prints, print) == prints.end())
      prints.push_back(print);

  Program program;
  program.placeholders = placeholders.size();
  program.fetches = fetches.size();
  ir::Builder builder;
  builder.reserve(static_cast<std::size_t>(std::ranges::count(needed, true)));
  std::vector<ir::Value> renamed(source.node_count());
  std::vector<bool> fed(source.node_count());
  for (const Tensor& p : placeholders) {
    const Placeholder& known = placeholder_of(p);
    const std::uint32_t node = p.ir_value().node;
    require(!fed[node], "placeholder \"{}\" is fed twice", known.name);
    fed[node] = true;
    renamed[node] = builder.input({known.name, p.type(), ir::Role::data, {}});
    needed[node] = false;  // done
  }
  // Variables that are only written still need an input to update.
  std::unordered_map<std::uint64_t, ir::Value> state;  // by the variable's identity
  const auto state_input = [&](const Variable& variable) {
    const auto known = state.find(variable.id());
    if (known != state.end()) return known->second;
    ir::Role role = ir::Role::state;
    if (variable.kind() == VariableKind::scalar) role = ir::Role::scalar_state;
    if (variable.kind() == VariableKind::key) role = ir::Role::key;
    const ir::Value value = builder.input({variable.name(), variable.type(), role, {}});
    state.emplace(variable.id(), value);
    program.variables.push_back(variable);
    return value;
  };
  for (std::uint32_t i = 0; i < source.node_count(); ++i) {
    if (!needed[i]) continue;
    const ir::Node& node = source.node(i);
    if (const auto* parameter = std::get_if<ir::Parameter>(&node.op)) {
      const InputSource& input = trace->sources[static_cast<std::size_t>(parameter->position)];
      if (const auto* missing = std::get_if<Placeholder>(&input))
        throw UserError(
            fmt::format("placeholder \"{}\" ({}) is needed but was not fed; add it to the feeds",
                        missing->name, parameter->type));
      renamed[i] = state_input(std::get<Variable>(input));
      continue;
    }
    std::vector<ir::Value> operands;
    for (const ir::Value v : node.operands)
      operands.push_back({renamed[v.node].node, renamed[v.node].result + v.result});
    renamed[i] = builder.add(node.op, operands);
    if (const ir::NodeInfo* info = source.info(i)) builder.describe(renamed[i].node, *info);
  }

  std::vector<ir::Output> outputs;
  const auto renamed_value = [&](ir::Value v) {
    return ir::Value{renamed[v.node].node, renamed[v.node].result + v.result};
  };
  for (const Tensor& fetch : fetches)
    outputs.push_back(
        {fetch.name(), renamed_value(fetch.ir_value()), std::nullopt, ir::Merge::carry});
  for (const Trace::Print& print : prints) {
    outputs.push_back({print.label, renamed_value(print.value), std::nullopt, ir::Merge::carry});
    program.prints.push_back(print.label);
  }
  for (const Update& update : updates) {
    const ir::Value input = state_input(update.variable);
    const auto position = std::get<ir::Parameter>(builder.node(input.node).op).position;
    outputs.push_back({update.variable.name(), renamed_value(update.value.ir_value()),
                       static_cast<std::uint32_t>(position), ir::Merge::carry});
  }
  program.graph = std::move(builder).finish(std::move(outputs));
  return program;
}

}  // namespace tenon

#include "tenon/tensor/trace.h"

#include "tenon/base/variant.h"
#include "tenon/tensor/build.h"

namespace tenon {

std::size_t Trace::SourceHash::operator()(const InputSource& source) const {
  const std::uint64_t id =
      std::visit(cases{[](const Placeholder& placeholder) { return placeholder.id; },
                       [](const Variable& variable) { return variable.id(); }},
                 source);
  return std::hash<std::uint64_t>()(2 * id + source.index());
}

ir::Value Trace::read(const InputSource& source, const TensorType& type) {
  const auto known = readers_.find(source);
  if (known != readers_.end()) return {known->second, 0};
  sources.push_back(source);
  const ir::Value value =
      builder.input(std::visit(cases{
                                   [&](const Placeholder& placeholder) {
                                     return ir::Input{placeholder.name, type, ir::Role::data, {}};
                                   },
                                   [&](const Variable& variable) {
                                     ir::Role role = ir::Role::state;
                                     if (variable.kind() == VariableKind::scalar)
                                       role = ir::Role::scalar_state;
                                     if (variable.kind() == VariableKind::key) role = ir::Role::key;
                                     return ir::Input{variable.name(), type, role, {}};
                                   },
                               },
                               source));
  readers_.emplace(source, value.node);
  return value;
}

std::shared_ptr<Trace> Trace::resolve(std::shared_ptr<Trace> trace, ir::Value& value) {
  while (trace->merged_into_) {
    value = {trace->renamed_[value.node], trace->renamed_result_[value.node] + value.result};
    trace = trace->merged_into_;
  }
  return trace;
}

std::shared_ptr<Trace> Trace::merge(const std::shared_ptr<Trace>& a,
                                    const std::shared_ptr<Trace>& b) {
  if (a == b) return a;
  const bool a_is_larger = a->builder.node_count() >= b->builder.node_count();
  const std::shared_ptr<Trace>& into = a_is_larger ? a : b;
  const std::shared_ptr<Trace>& from = a_is_larger ? b : a;
  for (std::uint32_t i = 0; i < from->builder.node_count(); ++i) {
    const ir::Node& node = from->builder.node(i);
    ir::Value value;
    if (const auto* parameter = std::get_if<ir::Parameter>(&node.op)) {
      value =
          into->read(from->sources[static_cast<std::size_t>(parameter->position)], parameter->type);
    } else {
      std::vector<ir::Value> operands;
      for (const ir::Value v : node.operands)
        operands.push_back({from->renamed_[v.node], from->renamed_result_[v.node] + v.result});
      value = into->builder.add(node.op, operands);
    }
    if (const ir::NodeInfo* info = from->builder.info(i)) into->builder.describe(value.node, *info);
    from->renamed_.push_back(value.node);
    from->renamed_result_.push_back(value.result);
  }
  const auto renamed = [&](ir::Value v) {
    return ir::Value{from->renamed_[v.node], from->renamed_result_[v.node] + v.result};
  };
  for (const Print& print : from->prints)
    into->prints.push_back({renamed(print.value), print.label});
  for (const Expected& update : from->expected)
    into->expected.push_back({update.variable, renamed(update.value),
                              update.input ? std::optional(renamed(*update.input)) : std::nullopt});
  from->merged_into_ = into;
  from->prints.clear();
  from->expected.clear();
  from->builder = {};
  from->sources.clear();
  from->readers_.clear();
  return into;
}

void mark_origin(const Tensor& result, const Tensor& input, ir::Origin origin) {
  const std::shared_ptr<Trace> trace = result.trace();
  ir::Builder& builder = trace->builder;
  std::optional<std::uint32_t> end;
  if (!input.is_empty() && input.trace() == trace) end = input.ir_value().node;
  const auto shared = std::make_shared<const ir::Origin>(std::move(origin));
  std::vector<std::uint32_t> pending{result.ir_value().node};
  while (!pending.empty()) {
    const std::uint32_t node = pending.back();
    pending.pop_back();
    const ir::NodeInfo* info = builder.info(node);
    const bool is_known = info != nullptr && info->origin != nullptr;
    // What takes nothing in (constants, parameters) may be anybody's.
    if (is_known || node == end || builder.node(node).operands.empty()) continue;
    builder.describe(node, {.name = {}, .location = {}, .origin = shared});
    for (const ir::Value operand : builder.node(node).operands) pending.push_back(operand.node);
  }
}

}  // namespace tenon

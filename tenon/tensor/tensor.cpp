#include "tenon/tensor/tensor.h"

#include <atomic>

#include "tenon/autodiff/grad.h"
#include "tenon/base/text.h"
#include "tenon/ir/interpret.h"
#include "tenon/tensor/build.h"

namespace tenon {
namespace {

Tensor weak_scalar(HostTensor value) {
  auto trace = std::make_shared<Trace>();
  const ir::Value node = ir::constant(trace->builder, std::move(value));
  return Tensor(std::move(trace), node, true);
}

}  // namespace

Tensor::Tensor(float value) : Tensor(weak_scalar(make_scalar(value))) {}
Tensor::Tensor(double value) : Tensor(weak_scalar(make_scalar(value))) {}
Tensor::Tensor(int value) : Tensor(weak_scalar(make_scalar<std::int32_t>(value))) {}
Tensor::Tensor(bool value) : Tensor(weak_scalar(make_scalar(value))) {}

Tensor Tensor::weak_integer(std::int64_t value) { return weak_scalar(make_scalar(value)); }

Tensor::Tensor(const HostTensor& value) : trace_(std::make_shared<Trace>()) {
  const ir::Value node = ir::constant(trace_->builder, value);
  node_ = node.node;
}

Tensor::Tensor(const Variable& variable) : trace_(std::make_shared<Trace>()) {
  node_ = trace_->read(variable, variable.type()).node;
}

Tensor::Tensor(std::shared_ptr<Trace> trace, ir::Value value, bool is_weak)
    : trace_(std::move(trace)), node_(value.node), result_(value.result), is_weak_(is_weak) {}

void Tensor::resolve() const {
  require(trace_ != nullptr, "an empty Tensor was used; give it a value first");
  ir::Value value{node_, result_};
  trace_ = Trace::resolve(trace_, value);
  node_ = value.node;
  result_ = value.result;
}

std::shared_ptr<Trace> Tensor::trace() const {
  resolve();
  return trace_;
}

ir::Value Tensor::ir_value() const {
  resolve();
  return {node_, result_};
}

const TensorType& Tensor::type() const {
  if (!type_) {
    resolve();
    type_ = std::make_shared<const TensorType>(trace_->builder.type({node_, result_}));
  }
  return *type_;
}

std::int64_t Tensor::extent(std::int64_t axis) const {
  return shape()[static_cast<std::size_t>(normalize_axis(axis, rank(), "extent"))];
}

const Tensor& Tensor::named(std::string name, SourceLocation where) const {
  resolve();
  trace_->builder.describe(node_, {std::move(name), where.text()});
  return *this;
}

std::string Tensor::name() const {
  resolve();
  if (const ir::NodeInfo* info = trace_->builder.info(node_)) return info->name;
  if (const auto* parameter = std::get_if<ir::Parameter>(&trace_->builder.node(node_).op))
    return trace_->builder.inputs()[static_cast<std::size_t>(parameter->position)].name;
  return {};
}

std::string Tensor::description() const {
  std::string text = tenon::to_string(type());
  const std::string label = name();
  if (!label.empty()) text += fmt::format(" from \"{}\"", label);
  const ir::NodeInfo* info = trace()->builder.info(ir_value().node);
  if (info && !info->location.empty()) text += fmt::format(" ({})", info->location);
  return text;
}

HostTensor Tensor::value() const {
  resolve();
  const ir::Builder& source = trace_->builder;
  const std::vector<bool> needed = needed_for(source, std::array{ir::Value{node_, result_}});
  ir::Builder builder;
  std::vector<ir::Value> renamed(source.node_count());
  for (std::uint32_t i = 0; i <= node_; ++i) {
    if (!needed[i]) continue;
    const ir::Node& node = source.node(i);
    if (const auto* parameter = std::get_if<ir::Parameter>(&node.op))
      throw UserError(
          fmt::format("this tensor depends on \"{}\", which has a value only while a Session runs",
                      source.inputs()[static_cast<std::size_t>(parameter->position)].name));
    std::vector<ir::Value> operands;
    for (const ir::Value v : node.operands)
      operands.push_back({renamed[v.node].node, renamed[v.node].result + v.result});
    renamed[i] = builder.add(node.op, operands);
  }
  const ir::Value value{renamed[node_].node, renamed[node_].result + result_};
  return ir::interpret(std::move(builder).finish({value}), std::span<const HostTensor>{}).front();
}

std::string Tensor::to_string() const {
  if (is_empty()) return "Tensor(empty)";
  try {
    return tenon::to_string(value());
  } catch (const UserError&) {
    const std::string label = name();
    return label.empty() ? fmt::format("Tensor({})", type())
                         : fmt::format("Tensor(\"{}\", {})", label, type());
  }
}

Tensor placeholder(std::string name, TensorType type) {
  static std::atomic<std::uint64_t> next_id{1};
  element_count(type.shape);
  auto trace = std::make_shared<Trace>();
  const ir::Value value = trace->read(Placeholder{next_id++, std::move(name)}, type);
  return Tensor(std::move(trace), value);
}

Tensor print(const Tensor& x, std::string label) {
  const std::shared_ptr<Trace> trace = x.trace();
  trace->prints.push_back({x.ir_value(), std::move(label)});
  return x;
}

Tensor find(const Tensor& any, std::string_view name) {
  const std::shared_ptr<Trace> trace = any.trace();
  const ir::Builder& builder = trace->builder;
  const std::vector<bool> needed = needed_for(builder, std::array{any.ir_value()});
  std::vector<std::string> names;
  std::optional<std::uint32_t> found;
  for (std::uint32_t i = 0; i < builder.node_count(); ++i) {
    const std::string known = Tensor(trace, {i, 0}).name();
    if (known.empty()) continue;
    if (known == name && (!found || (needed[i] && !needed[*found]))) found = i;
    names.push_back(known);
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (!found)
    throw UserError(fmt::format("no tensor is called {}; known: {}{}", in_quotes(name),
                                names.empty() ? "none" : join(names, ", "),
                                did_you_mean(name, names)));
  return Tensor(trace, {*found, 0});
}

Tensor constant(const HostTensor& value) { return Tensor(value); }

Tensor constant(std::initializer_list<float> values) {
  return Tensor(make_tensor<float>({static_cast<std::int64_t>(values.size())}, values));
}

Tensor constant(std::initializer_list<std::initializer_list<float>> rows) {
  std::vector<float> values;
  for (const auto& row : rows) {
    require(row.size() == rows.begin()->size(), "constant: a row has {} values, the first has {}",
            row.size(), rows.begin()->size());
    values.insert(values.end(), row.begin(), row.end());
  }
  const auto width = rows.size() == 0 ? 0 : rows.begin()->size();
  return Tensor(
      make_tensor<float>({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)},
                         std::span<const float>(values)));
}

Update assign(const Variable& variable, const Tensor& value) {
  require(value.type() == variable.type(), "assign: variable \"{}\" holds {}, the new value is {}",
          variable.name(), variable.type(), value.type());
  return {variable, value};
}

Tensor apply_op(ir::Op op, std::span<const Tensor> operands) {
  const std::shared_ptr<Trace> trace = common_trace(operands);
  std::vector<ir::Value> values;
  values.reserve(operands.size());
  for (const Tensor& operand : operands) values.push_back(operand.ir_value());
  const ir::Value value = trace->builder.add(std::move(op), values);
  return Tensor(trace, value);
}

std::vector<Tensor> apply_op_all(ir::Op op, std::span<const Tensor> operands) {
  const Tensor first = apply_op(std::move(op), operands);
  std::vector<Tensor> results;
  for (const ir::Value value : first.trace()->builder.results(first.ir_value()))
    results.emplace_back(first.trace(), value);
  return results;
}

std::vector<bool> needed_for(const ir::Builder& builder, std::span<const ir::Value> values) {
  std::vector<bool> needed(builder.node_count());
  for (const ir::Value value : values) needed[value.node] = true;
  for (std::uint32_t i = builder.node_count(); i-- > 0;)
    if (needed[i])
      for (const ir::Value operand : builder.node(i).operands) needed[operand.node] = true;
  return needed;
}

std::shared_ptr<Trace> common_trace(std::span<const Tensor> tensors) {
  if (tensors.empty()) return std::make_shared<Trace>();
  std::shared_ptr<Trace> trace = tensors.front().trace();
  for (const Tensor& tensor : tensors.subspan(1)) trace = Trace::merge(trace, tensor.trace());
  return trace;
}

std::vector<Tensor> grad(const Tensor& loss, std::span<const Tensor> wrt) {
  std::vector<Tensor> all(wrt.begin(), wrt.end());
  all.push_back(loss);
  const std::shared_ptr<Trace> trace = common_trace(all);
  std::vector<ir::Value> values;
  for (const Tensor& tensor : wrt) values.push_back(tensor.ir_value());
  std::vector<Tensor> gradients;
  for (const ir::Value value : autodiff::append_gradients(trace->builder, loss.ir_value(), values))
    gradients.emplace_back(trace, value);
  return gradients;
}

std::vector<Tensor> grad(const Tensor& loss, std::span<const Variable> wrt) {
  return grad(loss, std::vector<Tensor>(wrt.begin(), wrt.end()));
}

Tensor grad(const Tensor& loss, const Tensor& wrt) {
  return grad(loss, std::span(&wrt, 1)).front();
}

std::vector<Variable> variables_of(std::span<const Tensor> tensors) {
  const std::shared_ptr<Trace> trace = common_trace(tensors);
  const ir::Builder& builder = trace->builder;
  std::vector<ir::Value> values;
  for (const Tensor& tensor : tensors) values.push_back(tensor.ir_value());
  const std::vector<bool> needed = needed_for(builder, values);
  std::vector<Variable> variables;
  for (std::uint32_t i = 0; i < builder.node_count(); ++i)
    if (const auto* parameter = std::get_if<ir::Parameter>(&builder.node(i).op);
        parameter && needed[i])
      if (const auto* variable =
              std::get_if<Variable>(&trace->sources[static_cast<std::size_t>(parameter->position)]))
        variables.push_back(*variable);
  return variables;
}

}  // namespace tenon

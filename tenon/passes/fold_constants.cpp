#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

constexpr std::int64_t kLargestFolded = 1024;  // elements of all results together

// Ops that are worth a constant when their operands are constants. Broadcasts and iotas are smaller
// as they are; loops may run long; barriers and sharding constraints mean to stay.
bool is_foldable(const Op& op) {
  return !std::holds_alternative<Parameter>(op) && !std::holds_alternative<Constant>(op) &&
         !std::holds_alternative<Iota>(op) && !std::holds_alternative<Broadcast>(op) &&
         !std::holds_alternative<Barrier>(op) && !std::holds_alternative<ShardingConstraint>(op) &&
         !std::holds_alternative<Scan>(op) && !std::holds_alternative<While>(op) &&
         !std::holds_alternative<Cond>(op) && !std::holds_alternative<CustomGradient>(op);
}

bool is_small(const TensorTypes& types) {
  std::int64_t total = 0;
  for (const TensorType& type : types) {
    const std::int64_t count = element_count(type.shape);
    if (count > kLargestFolded - total) return false;
    total += count;
  }
  return true;
}

Replacement fold_node(const Match& m) {
  if (!is_foldable(m.op) || m.operands.empty()) return std::nullopt;
  std::vector<ConstantRef> constants;
  std::vector<const HostTensor*> values;
  for (const Value operand : m.operands) {
    const auto constant = producer<Constant>(m.builder, operand);
    if (!constant) return std::nullopt;
    constants.push_back(constant->op.value);
    values.push_back(&*constants.back());
  }
  if (!is_small(infer_types(m.op, types_of(m.builder, m.operands)))) return std::nullopt;
  std::vector<Value> results;
  for (HostTensor& result : evaluate(m.op, values))
    results.push_back(constant(m.builder, std::move(result)));
  return results;
}

// The one element of a splat (a scalar constant, broadcast or not), as a scalar tensor.
std::optional<HostTensor> splat_element(const Builder& b, Value x) {
  if (const auto broadcast = producer<Broadcast>(b, x)) x = broadcast->operands[0];
  const auto constant = producer<Constant>(b, x);
  if (!constant || constant->op.value->size() != 1) return std::nullopt;
  return constant->op.value->reshaped({});
}

// An elementwise op on splats is a splat.
Replacement fold_splats(const Match& m) {
  if (!std::holds_alternative<Elementwise>(m.op) && !std::holds_alternative<Select>(m.op) &&
      !std::holds_alternative<Cast>(m.op) && !std::holds_alternative<Bitcast>(m.op))
    return std::nullopt;
  std::vector<HostTensor> elements;
  for (const Value operand : m.operands) {
    std::optional<HostTensor> element = splat_element(m.builder, operand);
    if (!element) return std::nullopt;
    elements.push_back(std::move(*element));
  }
  std::vector<const HostTensor*> values;
  for (const HostTensor& element : elements) values.push_back(&element);
  const Shape shape = m.type(0).shape;
  const Value scalar = constant(m.builder, std::move(evaluate(m.op, values)[0]));
  return replace_with(broadcast(m.builder, scalar, shape, {}));
}

// A constant of one repeated value is a broadcast scalar.
Replacement shrink_uniform(const Match& m) {
  const auto* op = std::get_if<Constant>(&m.op);
  if (op == nullptr || op->value->size() < 1 || op->value->shape().empty()) return std::nullopt;
  const std::span<const std::byte> bytes = op->value->bytes();
  const std::size_t size = size_of(op->value->dtype());
  for (std::size_t i = size; i < bytes.size(); ++i)
    if (bytes[i] != bytes[i - size]) return std::nullopt;
  HostTensor element({op->value->dtype(), {}});
  std::ranges::copy(bytes.first(size), element.bytes().begin());
  const Shape shape = op->value->shape();
  return replace_with(broadcast(m.builder, constant(m.builder, std::move(element)), shape, {}));
}

}  // namespace

std::span<const Rule> constant_rules() {
  static constexpr Rule kRules[] = {
      {"uniform_constant", shrink_uniform},
      {"fold_splats", fold_splats},
      {"fold_node", fold_node},
  };
  return kRules;
}

Graph fold_constants(const Graph& graph, const PassContext&) {
  return rewrite(graph, constant_rules());
}

}  // namespace tenon::passes

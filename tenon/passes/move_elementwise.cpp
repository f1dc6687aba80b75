#include "tenon/passes/move_elementwise.h"

namespace tenon::passes {
using namespace ir;

bool is_elementwise(const Op& op) {
  return std::holds_alternative<Elementwise>(op) || std::holds_alternative<Select>(op) ||
         std::holds_alternative<Cast>(op) || std::holds_alternative<Bitcast>(op);
}

namespace {

bool is_one_to_one_movement(const Op& op) {
  return std::holds_alternative<Reshape>(op) || std::holds_alternative<Transpose>(op) ||
         std::holds_alternative<Reverse>(op);
}

// The scalar that is broadcast to make x, if it is made so.
std::optional<Value> broadcast_scalar(const Builder& b, Value x) {
  const auto made = producer<Broadcast>(b, x);
  return made && made->op.axes.empty() ? std::optional(made->operands[0]) : std::nullopt;
}

// The operands of an elementwise op seen as one movement applied to equally shaped inner values,
// and splats, which take any shape.
struct MovedOperands {
  Op movement;
  Shape shape;               // of the inner values
  std::vector<Value> inner;  // splats are already of that shape
  std::size_t moved = 0;     // distinct moved operands
};

template <class IsMovement>
std::optional<MovedOperands> moved_operands(Builder& b, std::span<const Value> operands,
                                            const IsMovement& is_movement) {
  std::optional<MovedOperands> found;
  std::vector<std::optional<Value>> scalars;
  std::vector<Value> distinct;
  for (const Value operand : operands) {
    scalars.push_back(broadcast_scalar(b, operand));
    if (scalars.back()) continue;
    const Node& node = b.node(operand.node);
    if (!is_movement(node.op)) return std::nullopt;
    const Shape& shape = b.type(node.operands[0]).shape;
    if (!found) found = MovedOperands{node.op, shape, {}, 0};
    if (found->movement != node.op || found->shape != shape) return std::nullopt;
    if (!std::ranges::count(distinct, operand)) distinct.push_back(operand);
  }
  if (!found) return std::nullopt;
  found->moved = distinct.size();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Value x = operands[i];
    found->inner.push_back(scalars[i] ? broadcast(b, *scalars[i], found->shape, {})
                                      : b.node(x.node).operands[0]);
  }
  return found;
}

}  // namespace

Replacement move_outward(const Match& m) {
  if (!is_elementwise(m.op)) return std::nullopt;
  const auto found = moved_operands(m.builder, m.operands, is_one_to_one_movement);
  if (!found || found->moved < 2) return std::nullopt;
  for (std::size_t i = 0; i < m.operands.size(); ++i) {
    const auto here = std::ranges::count(m.operands, m.operands[i]);
    if (!broadcast_scalar(m.builder, m.operands[i]) && m.uses[i] > here) return std::nullopt;
  }
  const Value result = m.builder.add(m.op, found->inner);
  return replace_with(m.builder.add(found->movement, {result}));
}

Replacement merge_through_elementwise(const Match& m) {
  if (!is_one_to_one_movement(m.op) || m.uses[0] != 1) return std::nullopt;
  Builder& b = m.builder;
  const Node between = b.node(m.operands[0].node);
  if (!is_elementwise(between.op)) return std::nullopt;
  const std::size_t kind = m.op.index();
  const auto found =
      moved_operands(b, between.operands, [&](const Op& op) { return op.index() == kind; });
  if (!found) return std::nullopt;
  const Shape result_shape = m.result_type().shape;
  std::vector<Value> operands;
  for (const Value operand : between.operands) {
    if (const auto scalar = broadcast_scalar(b, operand))
      operands.push_back(broadcast(b, *scalar, result_shape, {}));
    else
      operands.push_back(b.add(m.op, {operand}));
  }
  return replace_with(b.add(between.op, operands));
}

Replacement broadcast_outward(const Match& m) {
  if (!is_elementwise(m.op)) return std::nullopt;
  const auto found = moved_operands(
      m.builder, m.operands, [](const Op& op) { return std::holds_alternative<Broadcast>(op); });
  if (found) {
    const Value result = m.builder.add(m.op, found->inner);
    return replace_with(m.builder.add(found->movement, {result}));
  }
  // All operands are broadcast scalars.
  std::vector<Value> scalars;
  for (const Value operand : m.operands) {
    const auto scalar = broadcast_scalar(m.builder, operand);
    if (!scalar) return std::nullopt;
    scalars.push_back(*scalar);
  }
  const Shape shape = m.type(0).shape;
  return replace_with(broadcast(m.builder, m.builder.add(m.op, scalars), shape, {}));
}

}  // namespace tenon::passes

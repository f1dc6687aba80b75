// Movement ops exchanged with each other, so that fewer and smaller ones remain.
#include "tenon/passes/move_elementwise.h"
#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

// A transpose that moves only axes of one element is a reshape.
Replacement transpose_as_reshape(const Match& m) {
  const auto* op = std::get_if<Transpose>(&m.op);
  if (op == nullptr) return std::nullopt;
  const Shape shape = m.type(0).shape;
  Axes longer;
  for (const std::int64_t axis : op->permutation)
    if (shape[static_cast<std::size_t>(axis)] != 1) longer.push_back(axis);
  if (!std::ranges::is_sorted(longer)) return std::nullopt;
  return replace_with(reshape(m.builder, m.operands[0], m.result_type().shape));
}

// So is a broadcast that adds only such axes; scalars stay broadcast, as splats are.
Replacement broadcast_as_reshape(const Match& m) {
  const auto* op = std::get_if<Broadcast>(&m.op);
  if (op == nullptr || op->axes.empty() ||
      element_count(op->shape) != element_count(m.type(0).shape))
    return std::nullopt;
  return replace_with(reshape(m.builder, m.operands[0], op->shape));
}

// transpose(broadcast(x)) -> broadcast(transpose(x)): moves fewer elements.
Replacement transpose_of_broadcast(const Match& m) {
  const auto* op = std::get_if<Transpose>(&m.op);
  if (op == nullptr) return std::nullopt;
  const auto inner = producer<Broadcast>(m.builder, m.operands[0]);
  if (!inner) return std::nullopt;
  const Shape shape = m.result_type().shape;
  Axes order, axes;  // the axes of x in the order in which they come in the result, and where
  for (std::size_t i = 0; i < op->permutation.size(); ++i) {
    const auto found = std::ranges::find(inner->op.axes, op->permutation[i]);
    if (found == inner->op.axes.end()) continue;
    order.push_back(found - inner->op.axes.begin());
    axes.push_back(static_cast<std::int64_t>(i));
  }
  const Value x = transpose(m.builder, inner->operands[0], std::move(order));
  return replace_with(broadcast(m.builder, x, shape, std::move(axes)));
}

// Runs of axes before and after a reshape that hold the same elements, as short as possible.
struct AxisGroup {
  std::size_t from, from_end;  // axes of the operand
  std::size_t to, to_end;      // axes of the result
};
std::optional<std::vector<AxisGroup>> axis_groups(const Shape& from, const Shape& to) {
  if (std::ranges::count(from, 0) || std::ranges::count(to, 0)) return std::nullopt;
  std::vector<AxisGroup> groups;
  std::size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    AxisGroup group{i, i, j, j};
    std::int64_t left = 1, right = 1;
    if (i < from.size() && from[i] == 1) {
      ++i;
    } else if (j < to.size() && to[j] == 1) {
      ++j;
    } else {
      left = from[i++];
      right = to[j++];
      while (left != right) {
        if (left < right)
          left *= from[i++];
        else
          right *= to[j++];
      }
    }
    group.from_end = i;
    group.to_end = j;
    groups.push_back(group);
  }
  return groups;
}

// reshape(broadcast(x)) -> broadcast(reshape(x)) where no group of axes mixes repeated axes with
// axes of x.
Replacement reshape_of_broadcast(const Match& m) {
  const auto* op = std::get_if<Reshape>(&m.op);
  if (op == nullptr) return std::nullopt;
  const auto inner = producer<Broadcast>(m.builder, m.operands[0]);
  if (!inner) return std::nullopt;
  const auto groups = axis_groups(inner->op.shape, op->shape);
  if (!groups) return std::nullopt;
  Shape shape;
  Axes axes;
  for (const AxisGroup& group : *groups) {
    std::size_t own = 0;
    for (std::size_t axis = group.from; axis < group.from_end; ++axis)
      own += std::ranges::count(inner->op.axes, static_cast<std::int64_t>(axis));
    if (own == 0) continue;
    if (own != group.from_end - group.from) return std::nullopt;
    for (std::size_t axis = group.to; axis < group.to_end; ++axis) {
      shape.push_back(op->shape[axis]);
      axes.push_back(static_cast<std::int64_t>(axis));
    }
  }
  const Value x = reshape(m.builder, inner->operands[0], std::move(shape));
  return replace_with(broadcast(m.builder, x, op->shape, std::move(axes)));
}

// reduce(transpose(x)) -> reduce(x) where the axes that remain, and those that are summed, keep
// their order (the order of a sum is part of its value).
Replacement reduce_of_transpose(const Match& m) {
  const auto* op = std::get_if<Reduce>(&m.op);
  if (op == nullptr) return std::nullopt;
  const auto inner = producer<Transpose>(m.builder, m.operands[0]);
  if (!inner) return std::nullopt;
  Axes reduced, kept;
  for (std::int64_t i = 0; i < m.type(0).rank(); ++i)
    (std::ranges::count(op->axes, i) ? reduced : kept)
        .push_back(inner->op.permutation[static_cast<std::size_t>(i)]);
  if (!std::ranges::is_sorted(reduced) || !std::ranges::is_sorted(kept)) return std::nullopt;
  Reduce changed = *op;
  changed.axes = std::move(reduced);
  return m.builder.results(m.builder.add(std::move(changed), {inner->operands[0]}));
}

}  // namespace

std::span<const Rule> movement_rules() {
  static constexpr Rule kRules[] = {
      {"transpose_as_reshape", transpose_as_reshape},
      {"broadcast_as_reshape", broadcast_as_reshape},
      {"transpose_of_broadcast", transpose_of_broadcast},
      {"reshape_of_broadcast", reshape_of_broadcast},
      {"transpose_into_dot", transpose_into_dot},
      {"transpose_of_dot", transpose_of_dot},
      {"reduce_of_transpose", reduce_of_transpose},
      {"move_outward", move_outward},
      {"merge_through_elementwise", merge_through_elementwise},
      {"broadcast_outward", broadcast_outward},
  };
  return kRules;
}

Graph move(const Graph& graph, const PassContext&) {
  static const std::vector<Rule> kRules = [] {
    std::vector<Rule> rules(trivial_movement_rules().begin(), trivial_movement_rules().end());
    rules.insert(rules.end(), movement_rules().begin(), movement_rules().end());
    return rules;
  }();
  return rewrite(graph, kRules);
}

}  // namespace tenon::passes

// Movement ops that do nothing, undo each other or merge into one of the same kind.
#include <numeric>

#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

bool is_identity_order(const Axes& permutation) { return std::ranges::is_sorted(permutation); }

bool all_equal_to(const Shape& values, std::int64_t value) {
  return std::ranges::all_of(values, [&](std::int64_t v) { return v == value; });
}

// A moved splat is a splat of the new shape.
Replacement move_splat(const Match& m) {
  const bool moves = std::holds_alternative<Reshape>(m.op) ||
                     std::holds_alternative<Transpose>(m.op) ||
                     std::holds_alternative<Reverse>(m.op) || std::holds_alternative<Slice>(m.op) ||
                     std::holds_alternative<DynamicSlice>(m.op);
  if (!moves) return std::nullopt;
  const auto broadcast_scalar = producer<Broadcast>(m.builder, m.operands[0]);
  if (!broadcast_scalar || !broadcast_scalar->op.axes.empty()) return std::nullopt;
  return replace_with(
      broadcast(m.builder, broadcast_scalar->operands[0], m.result_type().shape, {}));
}

Replacement merge_reshapes(const Match& m) {
  const auto* op = std::get_if<Reshape>(&m.op);
  if (op == nullptr) return std::nullopt;
  if (m.type(0).shape == op->shape) return replace_with(m.operands[0]);
  const auto inner = producer<Reshape>(m.builder, m.operands[0]);
  return inner ? replace_with(reshape(m.builder, inner->operands[0], op->shape)) : std::nullopt;
}

Replacement merge_transposes(const Match& m) {
  const auto* op = std::get_if<Transpose>(&m.op);
  if (op == nullptr) return std::nullopt;
  if (is_identity_order(op->permutation)) return replace_with(m.operands[0]);
  const auto inner = producer<Transpose>(m.builder, m.operands[0]);
  if (!inner) return std::nullopt;
  Axes merged;
  for (const std::int64_t axis : op->permutation)
    merged.push_back(inner->op.permutation[static_cast<std::size_t>(axis)]);
  return replace_with(transpose(m.builder, inner->operands[0], std::move(merged)));
}

Replacement merge_broadcasts(const Match& m) {
  const auto* op = std::get_if<Broadcast>(&m.op);
  if (op == nullptr) return std::nullopt;
  if (m.type(0).shape == op->shape) return replace_with(m.operands[0]);
  const auto inner = producer<Broadcast>(m.builder, m.operands[0]);
  if (!inner) return std::nullopt;
  Axes merged;
  for (const std::int64_t axis : inner->op.axes)
    merged.push_back(op->axes[static_cast<std::size_t>(axis)]);
  return replace_with(broadcast(m.builder, inner->operands[0], op->shape, std::move(merged)));
}

// Axes of at most one element need no reversing; twice along an axis is not at all.
Replacement merge_reverses(const Match& m) {
  const auto* op = std::get_if<Reverse>(&m.op);
  if (op == nullptr) return std::nullopt;
  const Shape shape = m.type(0).shape;
  Axes axes;
  for (const std::int64_t axis : op->axes)
    if (shape[static_cast<std::size_t>(axis)] > 1) axes.push_back(axis);
  Value x = m.operands[0];
  if (const auto inner = producer<Reverse>(m.builder, x)) {
    Axes both;
    std::ranges::set_symmetric_difference(axes, inner->op.axes, std::back_inserter(both));
    axes = std::move(both);
    x = inner->operands[0];
  } else if (axes.size() == op->axes.size() && !axes.empty()) {
    return std::nullopt;
  }
  return replace_with(axes.empty() ? x : m.builder.add(Reverse{std::move(axes)}, {x}));
}

Replacement merge_slices(const Match& m) {
  const auto* op = std::get_if<Slice>(&m.op);
  if (op == nullptr) return std::nullopt;
  if (all_equal_to(op->starts, 0) && op->limits == m.type(0).shape && all_equal_to(op->strides, 1))
    return replace_with(m.operands[0]);
  const auto inner = producer<Slice>(m.builder, m.operands[0]);
  if (!inner) return std::nullopt;
  // Element k of axis i is operand element start + k * stride.
  const Shape shape = m.result_type().shape;
  Slice merged = inner->op;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    merged.starts[i] += op->starts[i] * inner->op.strides[i];
    merged.strides[i] *= op->strides[i];
    const std::int64_t span = shape[i] == 0 ? 0 : (shape[i] - 1) * merged.strides[i] + 1;
    if (shape[i] == 0) merged.starts[i] = 0;
    merged.limits[i] = merged.starts[i] + span;
  }
  return replace_with(m.builder.add(std::move(merged), {inner->operands[0]}));
}

// A slice that lies in one part of a concatenation is a slice of that part.
Replacement slice_part(const Match& m) {
  const auto* op = std::get_if<Slice>(&m.op);
  if (op == nullptr) return std::nullopt;
  const auto whole = producer<Concatenate>(m.builder, m.operands[0]);
  if (!whole) return std::nullopt;
  const auto axis = static_cast<std::size_t>(whole->op.axis);
  std::int64_t before = 0;
  for (const Value part : whole->operands) {
    const std::int64_t extent = m.builder.type(part).shape[axis];
    if (op->starts[axis] >= before && op->limits[axis] <= before + extent) {
      Slice moved = *op;
      moved.starts[axis] -= before;
      moved.limits[axis] -= before;
      return replace_with(m.builder.add(std::move(moved), {part}));
    }
    before += extent;
  }
  return std::nullopt;
}

Replacement pad_nothing(const Match& m) {
  const auto* op = std::get_if<Pad>(&m.op);
  if (op == nullptr || !all_equal_to(op->low, 0) || !all_equal_to(op->high, 0) ||
      !all_equal_to(op->interior, 0))
    return std::nullopt;
  return replace_with(m.operands[0]);
}

// Of a convolution, only the places that are kept.
Replacement merge_cut(const Match& m) {
  const auto* op = std::get_if<Slice>(&m.op);
  if (op == nullptr || m.uses[0] != 1 || !all_equal_to(op->strides, 1)) return std::nullopt;
  const auto whole = producer<Convolution>(m.builder, m.operands[0]);
  if (!whole) return std::nullopt;
  const Shape shape = m.type(0).shape;
  const auto is_whole = [&](std::int64_t axis) {
    const auto i = static_cast<std::size_t>(axis);
    return op->starts[i] == 0 && op->limits[i] == shape[i];
  };
  if (!is_whole(whole->op.output_batch) || !is_whole(whole->op.output_feature)) return std::nullopt;
  Convolution cut = whole->op;
  for (std::size_t i = 0; i < cut.output_spatial.size(); ++i) {
    const auto axis = static_cast<std::size_t>(cut.output_spatial[i]);
    if (op->limits[axis] == op->starts[axis]) return std::nullopt;
    cut.low[i] -= op->starts[axis] * cut.strides[i];
    cut.high[i] -= (shape[axis] - op->limits[axis]) * cut.strides[i];
  }
  return replace_with(m.builder.add(std::move(cut), whole->operands));
}

// One part is the part; empty parts go; concatenations along the same axis merge.
Replacement merge_concatenates(const Match& m) {
  const auto* op = std::get_if<Concatenate>(&m.op);
  if (op == nullptr) return std::nullopt;
  if (m.operands.size() == 1) return replace_with(m.operands[0]);
  std::vector<Value> parts;
  for (const Value operand : m.operands) {
    if (m.builder.type(operand).shape[static_cast<std::size_t>(op->axis)] == 0) continue;
    const auto inner = producer<Concatenate>(m.builder, operand);
    if (inner && inner->op == *op)
      parts.insert(parts.end(), inner->operands.begin(), inner->operands.end());
    else
      parts.push_back(operand);
  }
  if (std::ranges::equal(parts, m.operands)) return std::nullopt;
  if (parts.empty()) return replace_with(m.operands[0]);
  if (parts.size() == 1) return replace_with(parts[0]);
  return replace_with(m.builder.add(*op, parts));
}

// Starts clamp so that the slice fits: constant ones give a plain slice.
Replacement fix_dynamic_slice(const Match& m) {
  const auto* op = std::get_if<DynamicSlice>(&m.op);
  if (op == nullptr) return std::nullopt;
  const Shape shape = m.type(0).shape;
  if (op->sizes == shape) return replace_with(m.operands[0]);
  Slice slice{{}, {}, Shape(shape.size(), 1)};
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto start = splat_value(m.builder, m.operands[i + 1]);
    if (!start) return std::nullopt;
    const auto last = static_cast<double>(shape[i] - op->sizes[i]);
    slice.starts.push_back(static_cast<std::int64_t>(std::clamp(*start, 0.0, last)));
    slice.limits.push_back(slice.starts.back() + op->sizes[i]);
  }
  return replace_with(m.builder.add(std::move(slice), {m.operands[0]}));
}

// Reducing axes of one element keeps the element, except that a float sum turns -0 into 0.
Replacement reduce_nothing(const Match& m) {
  const auto* op = std::get_if<Reduce>(&m.op);
  if (op == nullptr || is_arg_reduce(op->kind)) return std::nullopt;
  const TensorType type = m.type(0);
  if (op->kind == ReduceKind::sum && is_float(type.dtype)) return std::nullopt;
  for (const std::int64_t axis : op->axes)
    if (type.shape[static_cast<std::size_t>(axis)] != 1) return std::nullopt;
  return replace_with(reshape(m.builder, m.operands[0], m.result_type().shape));
}

}  // namespace

std::span<const Rule> trivial_movement_rules() {
  static constexpr Rule kRules[] = {
      {"move_splat", move_splat},
      {"merge_reshapes", merge_reshapes},
      {"merge_transposes", merge_transposes},
      {"merge_broadcasts", merge_broadcasts},
      {"merge_reverses", merge_reverses},
      {"merge_slices", merge_slices},
      {"slice_part", slice_part},
      {"pad_nothing", pad_nothing},
      {"merge_cut", merge_cut},
      {"merge_concatenates", merge_concatenates},
      {"fix_dynamic_slice", fix_dynamic_slice},
      {"reduce_nothing", reduce_nothing},
  };
  return kRules;
}

Graph simplify(const Graph& graph, const PassContext&) {
  static const std::vector<Rule> kRules = [] {
    std::vector<Rule> rules(arithmetic_rules().begin(), arithmetic_rules().end());
    rules.insert(rules.end(), trivial_movement_rules().begin(), trivial_movement_rules().end());
    return rules;
  }();
  return rewrite(graph, kRules);
}

}  // namespace tenon::passes

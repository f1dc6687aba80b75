#include "tenon/passes/move_elementwise.h"

namespace tenon::passes {
using namespace ir;
namespace {

bool holds(const Axes& axes, std::int64_t axis) { return std::ranges::count(axes, axis) > 0; }

Axes mapped(const Axes& axes, const Axes& permutation) {
  Axes result;
  for (const std::int64_t axis : axes)
    result.push_back(permutation[static_cast<std::size_t>(axis)]);
  return result;
}

// The operand before its transpose, if its free axes keep their order without it.
std::optional<Value> without_transpose(const Match& m, std::size_t operand, Axes& batch,
                                       Axes& contracting) {
  const auto made = producer<Transpose>(m.builder, m.operands[operand]);
  if (!made) return std::nullopt;
  std::int64_t previous = -1;
  for (std::int64_t axis = 0; axis < m.type(operand).rank(); ++axis) {
    if (holds(batch, axis) || holds(contracting, axis)) continue;
    const std::int64_t source = made->op.permutation[static_cast<std::size_t>(axis)];
    if (source < previous) return std::nullopt;
    previous = source;
  }
  batch = mapped(batch, made->op.permutation);
  contracting = mapped(contracting, made->op.permutation);
  return made->operands[0];
}

}  // namespace

Replacement transpose_into_dot(const Match& m) {
  const auto* op = std::get_if<Dot>(&m.op);
  if (op == nullptr) return std::nullopt;
  Dot changed = *op;
  const auto lhs = without_transpose(m, 0, changed.lhs_batch, changed.lhs_contracting);
  const auto rhs = without_transpose(m, 1, changed.rhs_batch, changed.rhs_contracting);
  if (!lhs && !rhs) return std::nullopt;
  return replace_with(m.builder.add(std::move(changed),
                                    {lhs.value_or(m.operands[0]), rhs.value_or(m.operands[1])}));
}

Replacement transpose_of_dot(const Match& m) {
  const auto* op = std::get_if<Transpose>(&m.op);
  if (op == nullptr || m.uses[0] != 1) return std::nullopt;
  const auto dot = producer<Dot>(m.builder, m.operands[0]);
  if (!dot) return std::nullopt;
  const auto batch = static_cast<std::int64_t>(dot->op.lhs_batch.size());
  const std::int64_t lhs_free = m.builder.type(dot->operands[0]).rank() - batch -
                                static_cast<std::int64_t>(dot->op.lhs_contracting.size());
  const std::int64_t rank = m.type(0).rank();
  Axes swapped;
  for (std::int64_t i = 0; i < batch; ++i) swapped.push_back(i);
  for (std::int64_t i = batch + lhs_free; i < rank; ++i) swapped.push_back(i);
  for (std::int64_t i = batch; i < batch + lhs_free; ++i) swapped.push_back(i);
  if (op->permutation != swapped) return std::nullopt;
  Dot changed = dot->op;
  std::swap(changed.lhs_batch, changed.rhs_batch);
  std::swap(changed.lhs_contracting, changed.rhs_contracting);
  return replace_with(m.builder.add(std::move(changed), {dot->operands[1], dot->operands[0]}));
}

}  // namespace tenon::passes

#include "tenon/kernel/operands.h"

#include <algorithm>

namespace tenon::kernel {

void for_each_operand(Instruction& instruction, const std::function<void(ValueId&)>& visit) {
  const auto visit_mask = [&](std::optional<ValueId>& mask) {
    if (mask) visit(*mask);
  };
  const auto visit_all = [&](std::vector<ValueId>& operands) {
    for (ValueId& operand : operands) visit(operand);
  };
  std::visit(cases{[](Literal&) {},
                   [](LaneIndex&) {},
                   [](RowIndex&) {},
                   [](Barrier&) {},
                   [&](Call& node) { visit_all(node.operands); },
                   [&](FusedMultiplyAdd& node) {
                     visit(node.a);
                     visit(node.b);
                     visit(node.c);
                   },
                   [&](Select& node) {
                     visit(node.predicate);
                     visit(node.on_true);
                     visit(node.on_false);
                   },
                   [&](Cast& node) { visit(node.operand); },
                   [&](Bitcast& node) { visit(node.operand); },
                   [&](RandomWord& node) {
                     visit(node.key0);
                     visit(node.key1);
                     visit(node.index);
                   },
                   [&](Splat& node) { visit(node.operand); },
                   [&](Prefetch& node) { visit(node.access.offset); },
                   [&](Load& node) { visit(node.access.offset); },
                   [&](Store& node) {
                     visit(node.access.offset);
                     visit(node.value);
                   },
                   [&](LoadIndexed& node) {
                     visit(node.index);
                     visit_mask(node.mask);
                   },
                   [&](StoreIndexed& node) {
                     visit(node.index);
                     visit(node.value);
                     visit_mask(node.mask);
                   },
                   [&](Fold& node) { visit(node.tile); },
                   [&](Contract& node) {
                     visit(node.lhs_offset);
                     visit(node.rhs_offset);
                     visit(node.accumulator);
                   },
                   [&](Loop& node) { visit_all(node.initial); },
                   [&](If& node) { visit(node.condition); }},
             instruction);
}

void for_each_operand(const Instruction& instruction, const std::function<void(ValueId)>& visit) {
  // The visitor gets copies, so nothing is changed.
  for_each_operand(const_cast<Instruction&>(instruction), [&](ValueId& value) { visit(value); });
}

const Block* body_of(const Instruction& instruction) {
  if (const auto* loop = std::get_if<Loop>(&instruction)) return &loop->body;
  if (const auto* node = std::get_if<If>(&instruction)) return &node->body;
  return nullptr;
}
Block* body_of(Instruction& instruction) {
  return const_cast<Block*>(body_of(std::as_const(instruction)));
}

bool has_effect(const Instruction& instruction) {
  if (const Block* body = body_of(instruction))
    return std::ranges::any_of(body->statements, [](const Statement& statement) {
      return has_effect(statement.instruction);
    });
  return std::holds_alternative<Store>(instruction) ||
         std::holds_alternative<StoreIndexed>(instruction) ||
         std::holds_alternative<Prefetch>(instruction) ||
         std::holds_alternative<Barrier>(instruction);
}

namespace {

using ValueSet = std::vector<bool>;

void raise_scalars(const Kernel& kernel, Block& block, ValueSet& late) {
  const auto is_long = [](const Statement& statement) {
    return std::holds_alternative<Contract>(statement.instruction) ||
           std::holds_alternative<Loop>(statement.instruction);
  };
  std::vector<Statement>& statements = block.statements;
  for (Statement& statement : statements)
    if (Block* body = body_of(statement.instruction)) raise_scalars(kernel, *body, late);
  const auto is_early = [&](const Statement& statement) {
    const Instruction& instruction = statement.instruction;
    bool can_rise = std::holds_alternative<Literal>(instruction) ||
                    (std::holds_alternative<Call>(instruction) &&
                     kernel.type(statement.results.front()).is_scalar());
    for_each_operand(instruction, [&](ValueId value) { can_rise &= !late[value.index]; });
    if (!can_rise)
      for (const ValueId result : statement.results) late[result.index] = true;
    return can_rise;
  };
  std::stable_partition(std::ranges::find_if(statements, is_long), statements.end(), is_early);
}

using Used = ValueSet;

// Uses stand after definitions, so one walk from the end sees every use before its definition.
void drop_unused(Block& block, Used& used) {
  for (const ValueId value : block.yields) used[value.index] = true;
  std::vector<Statement> kept;
  for (auto statement = block.statements.rbegin(); statement != block.statements.rend();
       ++statement) {
    const bool is_needed =
        has_effect(statement->instruction) ||
        std::ranges::any_of(statement->results, [&](ValueId v) { return used[v.index]; });
    if (!is_needed) continue;
    if (Block* body = body_of(statement->instruction)) drop_unused(*body, used);
    for_each_operand(std::as_const(statement->instruction),
                     [&](ValueId value) { used[value.index] = true; });
    kept.push_back(std::move(*statement));
  }
  std::ranges::reverse(kept);
  block.statements = std::move(kept);
}

struct Renumbering {
  std::vector<std::uint32_t> number;  // of each old value
  std::vector<TileType> types;        // of each new one
  const Kernel& kernel;

  void define(ValueId& value) {
    number[value.index] = static_cast<std::uint32_t>(types.size());
    types.push_back(kernel.type(value));
    value.index = number[value.index];
  }
  void walk(Block& block) {
    for (ValueId& value : block.arguments) define(value);
    for (Statement& statement : block.statements) {
      for_each_operand(statement.instruction,
                       [this](ValueId& value) { value.index = number[value.index]; });
      if (Block* body = body_of(statement.instruction)) walk(*body);
      for (ValueId& value : statement.results) define(value);
    }
    for (ValueId& value : block.yields) value.index = number[value.index];
  }
};

}  // namespace

void raise_scalars(Kernel& kernel) {
  ValueSet late(kernel.values.size());
  raise_scalars(kernel, kernel.body, late);
}

void remove_unused(Kernel& kernel) {
  Used used(kernel.values.size());
  drop_unused(kernel.body, used);
  Renumbering renumbering{std::vector<std::uint32_t>(kernel.values.size()), {}, kernel};
  renumbering.walk(kernel.body);
  kernel.values = std::move(renumbering.types);
}

}  // namespace tenon::kernel

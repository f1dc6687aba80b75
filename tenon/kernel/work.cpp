#include "tenon/kernel/work.h"

#include <map>

#include "tenon/kernel/index_arithmetic.h"

namespace tenon::kernel {

namespace {

bool contains_branch(const Block& block) {
  for (const Statement& statement : block.statements) {
    if (std::holds_alternative<If>(statement.instruction)) return true;
    const auto* loop = std::get_if<Loop>(&statement.instruction);
    if (loop != nullptr && contains_branch(loop->body)) return true;
  }
  return false;
}

using Number = std::optional<std::int64_t>;

// Of offsets, and of the conditions that join comparisons of them.
Number apply(ScalarFunction function, std::int64_t x, std::int64_t y) {
  if (function == ScalarFunction::logical_and) return x & y;
  if (function == ScalarFunction::logical_or) return x | y;
  return fold_integers(function, x, y);
}

class Counter {
 public:
  explicit Counter(const Kernel& kernel) : kernel_(kernel), numbers_(kernel.values.size()) {}

  double run() { return repeat(kernel_.body, kernel_.grid); }

 private:
  // The block for each index from 0 on; once for all if nothing in it depends on the index.
  double repeat(const Block& block, std::int64_t times) {
    const auto [known, is_new] = branches_.try_emplace(&block, false);
    if (is_new) known->second = contains_branch(block);
    if (!known->second) {
      number(block.arguments[0]) = {};
      return times > 0 ? static_cast<double>(times) * count(block) : 0;
    }
    double total = 0;
    for (std::int64_t i = 0; i < times; ++i) {
      number(block.arguments[0]) = i;
      total += count(block);
    }
    return total;
  }

  double count(const Block& block) {
    double total = 0;
    for (const Statement& statement : block.statements) total += count(statement);
    return total;
  }

  double count(const Statement& statement) {
    const auto elements = [&](ValueId value) {
      const TileType& type = kernel_.type(value);
      return is_float(type.dtype) ? static_cast<double>(type.rows * type.lanes) : 0.0;
    };
    const auto result = [&] { return statement.results[0]; };
    return std::visit(
        cases{[&](const Literal& literal) {
                if (!is_float(literal.dtype))
                  number(result()) = static_cast<std::int64_t>(literal.bits);
                return 0.0;
              },
              [](const LaneIndex&) { return 0.0; },
              [](const RowIndex&) { return 0.0; },
              [&](const Call& call) {
                number(result()) = value_of(call, result());
                const TileType& type = kernel_.type(result());
                return is_float(kernel_.type(call.operands[0]).dtype)
                           ? static_cast<double>(type.rows * type.lanes)
                           : 0.0;
              },
              [&](const FusedMultiplyAdd&) { return 2 * elements(result()); },
              [](const Select&) { return 0.0; },
              [&](const Cast& cast) {
                number(result()) = is_float(cast.dtype) ? Number() : number(cast.operand);
                return 0.0;
              },
              [](const Bitcast&) { return 0.0; },
              [](const RandomWord&) { return 0.0; },
              [](const Splat&) { return 0.0; },
              [](const Load&) { return 0.0; },
              [](const Store&) { return 0.0; },
              [](const LoadIndexed&) { return 0.0; },
              [](const StoreIndexed&) { return 0.0; },
              [&](const Fold& fold) { return elements(fold.tile); },
              [&](const Contract& contract) {
                if (!is_float(kernel_.type(contract.accumulator).dtype)) return 0.0;
                return 2.0 * static_cast<double>(contract.active_rows) *
                       static_cast<double>(contract.active_lanes) *
                       static_cast<double>(contract.depth);
              },
              [](const Prefetch&) { return 0.0; },
              [](const Barrier&) { return 0.0; },
              [&](const Loop& loop) { return repeat(loop.body, loop.extent); },
              [&](const If& node) {
                return number(node.condition).value_or(1) != 0 ? count(node.body) : 0.0;
              }},
        statement.instruction);
  }

  Number value_of(const Call& call, ValueId result) {
    if (!kernel_.type(result).is_scalar() || is_float(kernel_.type(call.operands[0]).dtype))
      return {};
    const Number x = number(call.operands[0]);
    if (x && call.function == ScalarFunction::logical_not) return *x == 0;
    if (call.operands.size() != 2) return {};
    const Number y = number(call.operands[1]);
    return x && y ? apply(call.function, *x, *y) : Number();
  }

  Number& number(ValueId value) { return numbers_[value.index]; }

  const Kernel& kernel_;
  std::vector<Number> numbers_;  // of whole scalars that depend on no data
  std::map<const Block*, bool> branches_;
};

}  // namespace

double count_flops(const Kernel& kernel) { return Counter(kernel).run(); }

}  // namespace tenon::kernel

#include "tenon/kernel/work.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "tenon/kernel/index_arithmetic.h"
#include "tenon/kernel/needs.h"
#include "tenon/kernel/operands.h"

namespace tenon::kernel {

namespace {

using Number = std::optional<std::int64_t>;

// Of offsets, and of the conditions that join comparisons of them.
Number apply(ScalarFunction function, std::int64_t x, std::int64_t y) {
  if (function == ScalarFunction::logical_and) return x & y;
  if (function == ScalarFunction::logical_or) return x | y;
  return fold_integers(function, x, y);
}

double product(Extent extent) {
  return static_cast<double>(extent.rows) * static_cast<double>(extent.lanes);
}

// Operations, and elements of each buffer, however often they are the same.
struct Count {
  double flops = 0;
  std::vector<double> elements;

  void add(const Count& other, double times) {
    flops += times * other.flops;
    for (std::size_t i = 0; i < elements.size(); ++i) elements[i] += times * other.elements[i];
  }
};

class Counter {
 public:
  explicit Counter(const Kernel& kernel)
      : kernel_(kernel),
        needs_(find_needs(kernel)),
        decides_(kernel.values.size()),
        numbers_(kernel.values.size()) {
    find_deciding(kernel.body);
    prepare(kernel.body);
  }

  Work run() {
    const Count total = repeat(kernel_.body, kernel_.grid);
    Work work{total.flops, 0};
    for (std::size_t i = 0; i < kernel_.buffers.size(); ++i) {
      const Buffer& buffer = kernel_.buffers[i];
      if (buffer.space != Space::argument) continue;
      work.bytes += std::min(static_cast<double>(buffer.elements), total.elements[i]) *
                    static_cast<double>(size_of(buffer.dtype));
    }
    return work;
  }

 private:
  // What is known of a block before any index is.
  struct Prepared {
    Count fixed;                                 // of what stands in no inner block
    std::vector<const Statement*> followed;      // inner blocks, and numbers that decide branches
    std::vector<ValueId> outer;                  // of such numbers, those from outside
    bool depends_on_index = false;               // of the body of a loop
    std::map<std::vector<Number>, Count> known;  // by the outer numbers; of a loop all its turns
  };

  // Branches may depend on the value. Uses stand behind definitions.
  void find_deciding(const Block& block) {
    for (auto statement = block.statements.rbegin(); statement != block.statements.rend();
         ++statement) {
      if (const Block* body = body_of(statement->instruction)) find_deciding(*body);
      if (const auto* node = std::get_if<If>(&statement->instruction))
        decides_[node->condition.index] = true;
      if (is_number(*statement) && decides_[statement->results[0].index])
        for_each_operand(statement->instruction,
                         [&](ValueId operand) { decides_[operand.index] = true; });
    }
  }

  bool is_number(const Statement& statement) const {
    const bool has_kind = std::holds_alternative<Literal>(statement.instruction) ||
                          std::holds_alternative<Call>(statement.instruction) ||
                          std::holds_alternative<Cast>(statement.instruction);
    if (!has_kind) return false;
    const TileType& type = kernel_.type(statement.results[0]);
    return type.is_scalar() && !is_float(type.dtype);
  }

  Prepared& prepare(const Block& block) {
    Prepared& prepared = prepared_[&block];
    prepared.fixed.elements.resize(kernel_.buffers.size());
    std::vector<bool> is_inner(kernel_.values.size());
    const auto take = [&](ValueId value) {
      if (!decides_[value.index] || is_inner[value.index]) return;
      if (!block.arguments.empty() && value == block.arguments[0])
        prepared.depends_on_index = true;
      else if (std::ranges::find(prepared.outer, value) == prepared.outer.end())
        prepared.outer.push_back(value);
    };
    for (const Statement& statement : block.statements) {
      if (const Block* body = body_of(statement.instruction)) {
        if (const auto* node = std::get_if<If>(&statement.instruction)) take(node->condition);
        for (const ValueId value : prepare(*body).outer) take(value);
        prepared.followed.push_back(&statement);
      } else if (is_number(statement) && decides_[statement.results[0].index]) {
        for_each_operand(statement.instruction, take);
        prepared.followed.push_back(&statement);
      }
      for (const ValueId result : statement.results) is_inner[result.index] = true;
      add_fixed(statement, prepared.fixed);
    }
    return prepared;
  }

  void add_fixed(const Statement& statement, Count& count) const {
    const auto result = [&] { return statement.results[0]; };
    const auto used = [&](ValueId value) { return product(needs_[value.index]); };
    const auto moves = [&](BufferId buffer, double elements) {
      count.elements[buffer.index] += elements;
    };
    const auto extent = [](const Access& access) {
      return Extent{access.row_stride == 0 ? 1 : access.active_rows,
                    access.lane_stride == 0 ? 1 : access.active_lanes};
    };
    std::visit(cases{[](const Literal&) {},
                     [](const LaneIndex&) {},
                     [](const RowIndex&) {},
                     [&](const Call& call) {
                       // Also comparisons, whose results are no floats.
                       if (is_float(kernel_.type(call.operands[0]).dtype))
                         count.flops += used(result());
                     },
                     [&](const FusedMultiplyAdd&) {
                       if (is_float(kernel_.type(result()).dtype))
                         count.flops += 2 * used(result());
                     },
                     [](const Select&) {},
                     [](const Cast&) {},
                     [](const Bitcast&) {},
                     [](const RandomWord&) {},
                     [](const Splat&) {},
                     [&](const Load& load) {
                       const Extent needed = needs_[result().index], there = extent(load.access);
                       moves(load.access.buffer, product({std::min(needed.rows, there.rows),
                                                          std::min(needed.lanes, there.lanes)}));
                     },
                     [&](const Store& store) {
                       moves(store.access.buffer, product(extent(store.access)));
                     },
                     [&](const LoadIndexed& load) { moves(load.buffer, used(result())); },
                     [&](const StoreIndexed& store) { moves(store.buffer, used(store.index)); },
                     [&](const Fold& fold) {
                       Extent folded = needs_[result().index];
                       (fold.axis == FoldAxis::rows ? folded.rows : folded.lanes) = fold.active;
                       if (is_float(kernel_.type(fold.tile).dtype)) count.flops += product(folded);
                     },
                     [&](const Contract& contract) {
                       const Extent needed = needs_[result().index];
                       const Extent computed{std::min(needed.rows, contract.active_rows),
                                             std::min(needed.lanes, contract.active_lanes)};
                       const auto depth = static_cast<double>(contract.depth);
                       if (is_float(kernel_.type(contract.accumulator).dtype))
                         count.flops += 2 * product(computed) * depth;
                       moves(contract.lhs, static_cast<double>(computed.rows) * depth);
                       moves(contract.rhs, static_cast<double>(computed.lanes) * depth);
                     },
                     [](const Prefetch&) {},
                     [](const Barrier&) {},
                     [](const Loop&) {},
                     [](const If&) {}},
               statement.instruction);
  }

  std::vector<Number> outer_numbers(const Prepared& prepared) const {
    std::vector<Number> outer;
    for (const ValueId value : prepared.outer) outer.push_back(numbers_[value.index]);
    return outer;
  }

  // The block for each index from 0 on; once for all if no branch in it depends on the index.
  const Count& repeat(const Block& block, std::int64_t times) {
    Prepared& prepared = prepared_.at(&block);
    const auto [known, is_new] = prepared.known.try_emplace(outer_numbers(prepared));
    Count& total = known->second;
    if (!is_new) return total;
    total.elements.resize(kernel_.buffers.size());
    if (!prepared.depends_on_index) {
      if (times > 0) add(prepared, static_cast<double>(times), total);
      return total;
    }
    for (std::int64_t i = 0; i < times; ++i) {
      numbers_[block.arguments[0].index] = i;
      add(prepared, 1, total);
    }
    return total;
  }

  void add(const Prepared& prepared, double times, Count& total) {
    total.add(prepared.fixed, times);
    for (const Statement* statement : prepared.followed) {
      if (const auto* loop = std::get_if<Loop>(&statement->instruction))
        total.add(repeat(loop->body, loop->extent), times);
      else if (const auto* node = std::get_if<If>(&statement->instruction)) {
        if (numbers_[node->condition.index].value_or(1) != 0)
          add(prepared_.at(&node->body), times, total);
      } else {
        numbers_[statement->results[0].index] = number_of(*statement);
      }
    }
  }

  Number number_of(const Statement& statement) const {
    if (const auto* literal = std::get_if<Literal>(&statement.instruction))
      return static_cast<std::int64_t>(literal->bits);
    if (const auto* cast = std::get_if<Cast>(&statement.instruction))
      return numbers_[cast->operand.index];
    const Call& call = std::get<Call>(statement.instruction);
    const Number x = numbers_[call.operands[0].index];
    if (x && call.function == ScalarFunction::logical_not) return *x == 0;
    if (call.operands.size() != 2) return {};
    const Number y = numbers_[call.operands[1].index];
    return x && y ? apply(call.function, *x, *y) : Number();
  }

  const Kernel& kernel_;
  const std::vector<Extent> needs_;
  std::vector<bool> decides_;    // by value: whether branches depend on it
  std::vector<Number> numbers_;  // of whole scalars that depend on no data
  std::unordered_map<const Block*, Prepared> prepared_;
};

}  // namespace

Work count_work(const Kernel& kernel) { return Counter(kernel).run(); }

}  // namespace tenon::kernel

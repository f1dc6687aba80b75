#include "tenon/kernel/needs.h"

#include <algorithm>
#include <limits>

#include "tenon/kernel/operands.h"

namespace tenon::kernel {

namespace {

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
constexpr Extent kWhole{kAll, kAll};

class Finder {
 public:
  explicit Finder(const Kernel& kernel)
      : kernel_(kernel), needs_(kernel.values.size()), definitions_(kernel.values.size()) {
    note_definitions(kernel.body);
  }

  std::vector<Extent> run() {
    // What a loop carries is needed as its body needs it, which stands before: in another round.
    do {
      has_grown_ = false;
      walk(kernel_.body);
    } while (has_grown_);
    return std::move(needs_);
  }

 private:
  void note_definitions(const Block& block) {
    for (const Statement& statement : block.statements) {
      for (const ValueId result : statement.results)
        definitions_[result.index] = &statement.instruction;
      if (const Block* body = body_of(statement.instruction)) note_definitions(*body);
    }
  }

  const Extent& need(ValueId value) const { return needs_[value.index]; }

  void use(ValueId value, Extent extent) {
    const TileType& type = kernel_.type(value);
    Extent& known = needs_[value.index];
    if (extent.rows <= 0 || extent.lanes <= 0) return;
    const Extent grown{std::max(known.rows, std::min(extent.rows, type.rows)),
                       std::max(known.lanes, std::min(extent.lanes, type.lanes))};
    has_grown_ |= grown != known;
    known = grown;
  }

  void walk(const Block& block) {
    for (auto statement = block.statements.rbegin(); statement != block.statements.rend();
         ++statement)
      walk(*statement);
  }

  void walk(const Statement& statement) {
    const Instruction& instruction = statement.instruction;
    if (const auto* loop = std::get_if<Loop>(&instruction)) return walk(*loop, statement.results);
    if (const auto* node = std::get_if<If>(&instruction)) {
      use(node->condition, kWhole);
      return walk(node->body);
    }
    if (const auto* store = std::get_if<Store>(&instruction)) {
      use(store->access.offset, kWhole);
      return use(store->value, {store->access.active_rows, store->access.active_lanes});
    }
    if (const auto* store = std::get_if<StoreIndexed>(&instruction)) {
      const Extent active = store->mask ? bound_of(*store->mask) : kWhole;
      use(store->index, active);
      use(store->value, active);
      if (store->mask) use(*store->mask, kWhole);
      return;
    }
    if (const auto* prefetch = std::get_if<Prefetch>(&instruction))
      return use(prefetch->access.offset, kWhole);
    if (statement.results.empty()) return;
    const Extent asked = need(statement.results[0]);
    if (const auto* fold = std::get_if<Fold>(&instruction)) {
      Extent of_tile = asked;
      (fold->axis == FoldAxis::rows ? of_tile.rows : of_tile.lanes) = fold->active;
      return use(fold->tile, asked == Extent{} ? Extent{} : of_tile);
    }
    // All others work element by element, or take scalars.
    for_each_operand(instruction, [&](ValueId operand) { use(operand, asked); });
  }

  void walk(const Loop& loop, const std::vector<ValueId>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ValueId carried = loop.body.arguments[i + 1];
      use(loop.body.yields[i], need(results[i]));
      use(loop.body.yields[i], need(carried));
    }
    walk(loop.body);
    for (std::size_t i = 0; i < results.size(); ++i) {
      use(loop.initial[i], need(results[i]));  // also of a loop that has no turn
      use(loop.initial[i], need(loop.body.arguments[i + 1]));
    }
  }

  // A condition on lane or row numbers that are compared with a number; else everything.
  Extent bound_of(ValueId mask) const {
    const auto* call = definition<Call>(mask);
    if (call == nullptr || call->operands.size() != 2) return kWhole;
    if (call->function == ScalarFunction::logical_and) {
      const Extent a = bound_of(call->operands[0]), b = bound_of(call->operands[1]);
      return {std::min(a.rows, b.rows), std::min(a.lanes, b.lanes)};
    }
    const auto* limit = definition<Literal>(call->operands[1]);
    if (call->function != ScalarFunction::less || limit == nullptr) return kWhole;
    ValueId numbers = call->operands[0];
    while (const auto* splat = definition<Splat>(numbers)) numbers = splat->operand;
    const auto below = static_cast<std::int64_t>(limit->bits);
    if (definition<LaneIndex>(numbers) != nullptr) return {kAll, below};
    if (definition<RowIndex>(numbers) != nullptr) return {below, kAll};
    return kWhole;
  }

  template <class Kind>
  const Kind* definition(ValueId value) const {
    const Instruction* instruction = definitions_[value.index];
    return instruction == nullptr ? nullptr : std::get_if<Kind>(instruction);
  }

  const Kernel& kernel_;
  std::vector<Extent> needs_;
  std::vector<const Instruction*> definitions_;  // null of arguments of blocks
  bool has_grown_ = false;
};

}  // namespace

std::vector<Extent> find_needs(const Kernel& kernel) { return Finder(kernel).run(); }

}  // namespace tenon::kernel

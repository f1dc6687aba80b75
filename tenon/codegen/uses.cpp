#include "tenon/codegen/uses.h"

#include "tenon/kernel/operands.h"

namespace tenon::codegen {

using namespace kernel;

Uses::Uses(const Kernel& kernel)
    : home_(kernel.values.size()),
      counts_(kernel.values.size()),
      needed_(kernel.values.size(), Extents{0, 0}) {
  walk(kernel.body);
  survey_needs(kernel, kernel.body);
}

// Backwards: what is needed of a result says what is needed of floats that it is made of, element
// by element. Of indices and whole numbers all is: garbage in them could do harm. (That is what is
// written; kernel::find_needs, by which work is counted, looks for what has a use.)
void Uses::survey_needs(const Kernel& kernel, const Block& block) {
  const auto need = [&](ValueId value, const Extents& extents) {
    Extents& needed = needed_[value.index];
    needed = {std::max(needed.rows, extents.rows), std::max(needed.lanes, extents.lanes)};
  };
  const auto whole = [&](ValueId value) {
    return Extents{kernel.type(value).rows, kernel.type(value).lanes};
  };
  for (const ValueId yield : block.yields) need(yield, whole(yield));
  for (auto at = block.statements.rbegin(); at != block.statements.rend(); ++at) {
    const Instruction& instruction = at->instruction;
    if (const Block* body = body_of(instruction)) survey_needs(kernel, *body);
    const bool is_mapped = std::holds_alternative<Call>(instruction) ||
                           std::holds_alternative<FusedMultiplyAdd>(instruction) ||
                           std::holds_alternative<Select>(instruction) ||
                           std::holds_alternative<Cast>(instruction);
    for_each_operand(instruction, [&](ValueId operand) {
      const TileType& tile = kernel.type(operand);
      Extents extents = whole(operand);
      if (tile.is_scalar()) {
      } else if (is_mapped && is_float(tile.dtype)) {
        extents = needed_[at->results.front().index];
      } else if (const auto* fold = std::get_if<Fold>(&instruction)) {
        (fold->axis == FoldAxis::rows ? extents.rows : extents.lanes) = fold->active;
      } else if (const auto* store = std::get_if<Store>(&instruction);
                 store && operand == store->value) {
        extents = {store->access.active_rows, store->access.active_lanes};
      }
      need(operand, extents);
    });
  }
}

void Uses::use(ValueId value, const Block& block, std::size_t position) {
  std::size_t& last = last_use_[&block][value];
  last = std::max(last, position);
}

void Uses::walk(const Block& block) {
  last_use_[&block];
  for (const ValueId argument : block.arguments) home_[argument.index] = &block;
  for (std::size_t i = 0; i < block.statements.size(); ++i) {
    const Statement& statement = block.statements[i];
    for_each_operand(statement.instruction, [&](ValueId value) {
      ++counts_[value.index];
      use(value, block, i);
    });
    if (const Block* body = body_of(statement.instruction)) {
      walk(*body);
      for (const auto& [value, position] : last_use_[body]) use(value, block, i);
    }
    for (const ValueId result : statement.results) home_[result.index] = &block;
  }
  for (const ValueId value : block.yields) {
    ++counts_[value.index];
    use(value, block, block.statements.size());
  }
}

bool Uses::used_behind(ValueId value, const Block& block, std::size_t position) const {
  const auto& uses = last_use_.at(&block);
  const auto last = uses.find(value);
  return last != uses.end() && last->second > position;
}
bool Uses::used_in(ValueId value, const Block& block) const {
  const auto uses = last_use_.find(&block);
  return uses != last_use_.end() && uses->second.contains(value);
}
bool Uses::defined_in(ValueId value, const Block& block) const {
  return home_[value.index] == &block;
}

bool may_alias(const Kernel& kernel, BufferId a, BufferId b) {
  if (a == b) return true;
  const Buffer& x = kernel.buffers[a.index];
  const Buffer& y = kernel.buffers[b.index];
  return x.space == Space::argument && y.space == Space::argument && x.is_written != y.is_written &&
         x.elements * static_cast<std::int64_t>(size_of(x.dtype)) ==
             y.elements * static_cast<std::int64_t>(size_of(y.dtype));
}

namespace {

std::optional<Extents> extents_of(const TileType& type) {
  if (type.is_scalar()) return std::nullopt;
  return Extents{type.rows, type.lanes};
}

bool needs_no_memory(const Kernel& kernel, const Instruction& instruction) {
  const auto* splat = std::get_if<Splat>(&instruction);
  return std::holds_alternative<LaneIndex>(instruction) ||
         std::holds_alternative<RowIndex>(instruction) ||
         (splat != nullptr && kernel.type(splat->operand).is_scalar());
}

bool is_structural(const Instruction& instruction) {
  return std::holds_alternative<Fold>(instruction) ||
         std::holds_alternative<Contract>(instruction) ||
         std::holds_alternative<Prefetch>(instruction) ||
         std::holds_alternative<Barrier>(instruction) ||
         std::holds_alternative<Loop>(instruction) || std::holds_alternative<If>(instruction);
}

// Whether different elements of the rectangle lie at different places.
bool is_injective(const Access& access, const Extents& extents) {
  std::int64_t inner = std::abs(access.lane_stride), inner_extent = extents.lanes;
  std::int64_t outer = std::abs(access.row_stride), outer_extent = extents.rows;
  if (outer_extent == 1) return inner_extent == 1 || inner != 0;
  if (inner_extent == 1) return outer != 0;
  if (inner > outer) {
    std::swap(inner, outer);
    std::swap(inner_extent, outer_extent);
  }
  return inner != 0 && (inner_extent - 1) * inner < outer;
}

// Memory that a run has touched: a rectangle, or unknown elements of the buffer.
struct Touch {
  BufferId buffer;
  std::optional<Access> access;
};

struct Run {
  const Kernel& kernel;
  std::optional<Extents> extents;
  std::vector<Touch> loads, stores;

  // Whether touching memory element by element, behind `earlier`, is as good as tile by tile.
  bool is_ordered(const std::vector<Touch>& earlier, const Touch& touch) const {
    return std::ranges::all_of(earlier, [&](const Touch& before) {
      if (!may_alias(kernel, before.buffer, touch.buffer)) return true;
      return before.access && touch.access && before.access->offset == touch.access->offset &&
             before.access->row_stride == touch.access->row_stride &&
             before.access->lane_stride == touch.access->lane_stride && extents &&
             is_injective(*touch.access, *extents);
    });
  }
  bool add_load(const Touch& touch) {
    if (!is_ordered(stores, touch)) return false;
    loads.push_back(touch);
    return true;
  }
  bool add_store(const Touch& touch) {
    if (!is_ordered(loads, touch) || !is_ordered(stores, touch)) return false;
    stores.push_back(touch);
    return true;
  }
  bool add_memory(const Instruction& instruction) {
    if (const auto* load = std::get_if<Load>(&instruction))
      return add_load({load->access.buffer, load->access});
    if (const auto* load = std::get_if<LoadIndexed>(&instruction))
      return add_load({load->buffer, std::nullopt});
    if (const auto* store = std::get_if<Store>(&instruction))
      return add_store({store->access.buffer, store->access});
    if (const auto* store = std::get_if<StoreIndexed>(&instruction))
      return add_store({store->buffer, std::nullopt});
    return true;
  }
  // A scalar statement can join if it can move before everything in the run.
  bool add_scalar(const Instruction& instruction) const {
    const auto is_untouched = [this](BufferId buffer) {
      return std::ranges::none_of(
          stores, [&](const Touch& store) { return may_alias(kernel, store.buffer, buffer); });
    };
    if (const auto* load = std::get_if<Load>(&instruction))
      return is_untouched(load->access.buffer);
    if (const auto* load = std::get_if<LoadIndexed>(&instruction))
      return is_untouched(load->buffer);
    return !std::holds_alternative<Store>(instruction) &&
           !std::holds_alternative<StoreIndexed>(instruction);
  }
};

}  // namespace

std::optional<Extents> lane_parallel_extents(const Kernel& kernel, const Statement& statement) {
  const Instruction& instruction = statement.instruction;
  if (is_structural(instruction) || needs_no_memory(kernel, instruction)) return std::nullopt;
  if (const auto* store = std::get_if<Store>(&instruction)) {
    if (!kernel.type(store->value).is_scalar()) return extents_of(kernel.type(store->value));
    return extents_of({DType::f32, store->access.active_rows, store->access.active_lanes});
  }
  if (const auto* store = std::get_if<StoreIndexed>(&instruction))
    return extents_of(kernel.type(store->index));
  return extents_of(kernel.type(statement.results.front()));
}

std::size_t find_run_end(const Kernel& kernel, const Block& block, std::size_t begin) {
  Run run{kernel, std::nullopt, {}, {}};
  std::size_t end = begin;
  for (; end < block.statements.size(); ++end) {
    const Statement& statement = block.statements[end];
    if (is_structural(statement.instruction)) break;
    if (needs_no_memory(kernel, statement.instruction)) continue;
    const auto extents = lane_parallel_extents(kernel, statement);
    if (!extents) {
      if (!run.add_scalar(statement.instruction)) break;
      continue;
    }
    if (run.extents && *run.extents != *extents) break;
    run.extents = extents;
    if (!run.add_memory(statement.instruction)) break;
  }
  return end;
}

}  // namespace tenon::codegen

// The buffers of a kernel that is being written, and what it loads from them and stores to them.
#include <algorithm>

#include "tenon/base/error.h"
#include "tenon/lower/emitter.h"

namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

std::string_view prefix(Argument::Kind kind) {
  switch (kind) {
    case Argument::Kind::input: return "in";
    case Argument::Kind::output: return "out";
    case Argument::Kind::scratch: break;
  }
  return "scratch";
}

}  // namespace

BufferId Emitter::buffer(const Argument& argument, const TensorType& type, bool is_written) {
  const BufferId id = declare(argument, type, is_written);
  uses_[id.index].is_direct = true;
  return id;
}

BufferId Emitter::declare(const Argument& argument, const TensorType& type, bool is_written) {
  std::int64_t of_kind = 0;
  for (std::uint32_t i = 0; i < uses_.size(); ++i) {
    if (uses_[i].argument.kind != argument.kind) continue;
    ++of_kind;
    if (uses_[i].argument.value != argument.value) continue;
    check(uses_[i].is_written || !is_written, "a buffer is declared as read, then written");
    return {i};
  }
  uses_.push_back({argument, type, is_written, false, {}, false});
  return builder_.argument(fmt::format("{}{}", prefix(argument.kind), of_kind), type.dtype,
                           element_count(type.shape), is_written);
}

BufferId Emitter::declare_input(ir::Value value) {
  return declare(context_.memory.at(value), context_.type(value), false);
}

ValueId Emitter::load(BufferId from, const Index& flat) {
  if (!flat.tile) {
    note_form(flat.affine, true);
    uses_[from.index].accesses.push_back(flat.affine);
    if (const auto at = place(flat.affine)) {
      const bool is_scalar = at->row_step == 0 && at->lane_step == 0;
      const Frame size = is_scalar ? Frame{} : frame();
      const ValueId result = builder_.load(
          {from, at->offset, at->row_step, at->lane_step, size.active_rows, size.active_lanes},
          size.rows, size.lanes);
      // Lanes that are not active hold something else, but nobody looks at them.
      if (!is_scalar && at->lane_step == 0) same_over_lanes_.insert(result);
      return result;
    }
  }
  uses_[from.index].has_computed_access |= flat.tile.has_value();
  const ValueId index = materialise(flat);
  const bool is_tile = !type(index).is_scalar();
  return builder_.load_indexed(from, index, is_tile ? active_mask() : std::nullopt);
}

void Emitter::store(BufferId to, const Affine& flat, ValueId value) {
  note_form(flat, true);
  uses_[to.index].accesses.push_back(flat);
  if (const auto at = place(flat)) {
    builder_.store(
        {to, at->offset, at->row_step, at->lane_step, at->row_step == 0 ? 1 : frame().active_rows,
         at->lane_step == 0 ? 1 : frame().active_lanes},
        value);
    return;
  }
  builder_.store_indexed(to, materialise({flat, {}, {}}), value, active_mask());
}

void Emitter::prefetch(const kernel::Access& access) {
  if (options().prefetch) builder_.prefetch(access);
}

void Emitter::add_in_place_pairs(LoweredRegion& region) const {
  const auto sharable = [](const Use& use) {
    return !use.has_computed_access && !use.accesses.empty() &&
           std::ranges::all_of(use.accesses,
                               [&](const Affine& at) { return at == use.accesses.front(); });
  };
  for (const Use& output : uses_) {
    if (output.argument.kind != Argument::Kind::output || !sharable(output)) continue;
    // One store for each element, in row-major order, or the places are not the same.
    for (const Use& input : uses_) {
      if (input.argument.kind != Argument::Kind::input || input.is_direct || !sharable(input))
        continue;
      if (input.accesses.front() == output.accesses.front() &&
          size_of(input.type.dtype) == size_of(output.type.dtype) &&
          element_count(input.type.shape) == element_count(output.type.shape))
        region.in_place.emplace_back(output.argument.value, input.argument.value);
    }
  }
}

}  // namespace tenon::lower

// Walking over sliding windows: which elements of an operand lie under each result.
#pragma once
#include "tenon/ir/ops/window.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

// The space of a kernel over windows: axes of the result (kKept), then offsets inside a window
// (kReduced).
Space window_space(const Shape& result, const Shape& offsets);

// Calls body for each offset inside the window, in row-major order, with what is carried.
using WindowBody = std::function<std::vector<kernel::ValueId>(std::span<const kernel::ValueId>)>;
std::vector<kernel::ValueId> for_each_offset(Emitter& emitter,
                                             std::span<const kernel::ValueId> carried,
                                             const WindowBody& body);

// The offset inside the window along one axis.
Index offset_along(Emitter& emitter, const Shape& offsets, std::size_t axis);

// Where the operand lies under the offset; its index is clamped to the operand, and `is_inside`
// (bool, none if always) says whether that was needed.
struct WindowElement {
  Position position;
  std::optional<kernel::ValueId> is_inside;
};
WindowElement window_element(Emitter& emitter, const ir::Window& window, const Shape& operand,
                             const Shape& result);

// Surveys and writes one kernel that calls `write` for each tile of results. `write` stores at
// kept_major(space).
void write_windows(RegionWriter& writer, std::string_view stage, const Shape& result,
                   const Shape& offsets, const std::function<void(Emitter&)>& write);

}  // namespace tenon::lower

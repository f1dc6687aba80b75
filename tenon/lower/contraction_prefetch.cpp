#include "tenon/lower/contraction_prefetch.h"

#include <algorithm>

namespace tenon::lower {

using kernel::ValueId;

void prefetch_part(Emitter& emitter, kernel::BufferId from, ValueId start, std::int64_t count,
                   ValueId number, std::int64_t parts) {
  const kernel::Buffer& buffer = emitter.builder().buffer(from);
  const auto line = static_cast<std::int64_t>(64 / size_of(buffer.dtype));
  const std::int64_t part = ceil_divide(ceil_divide(count, line), parts) * line;
  if (part > buffer.elements) return;
  const ValueId last = emitter.index_constant(DType::i64, buffer.elements - part);
  const ValueId offset =
      emitter.call(ScalarFunction::minimum, {stepped(emitter, start, number, part), last});
  emitter.prefetch({from, offset, part, 1, 1, part});
}

void prefetch_epilogue(Emitter& emitter, const Contraction& problem, ValueId number,
                       std::int64_t parts) {
  const RegionWriter& writer = problem.writer;
  const ir::Node& node = writer.graph().node(problem.result.node);
  const auto at = emitter.place(row_major(emitter.space()));
  if (!at) return;
  const std::int64_t rows = ceil_divide(emitter.frame().active_rows, parts);
  for (const ir::Value value : writer.region().inputs) {
    const bool is_operand = std::ranges::count(node.operands, value) > 0;
    if (is_operand || element_count(writer.type(value).shape) != problem.result_count()) continue;
    const kernel::BufferId from = emitter.declare_input(value);
    const ValueId start =
        parts == 1 ? at->offset : stepped(emitter, at->offset, number, rows * at->row_step);
    emitter.prefetch(
        {from, start, at->row_step, at->lane_step, rows, emitter.frame().active_lanes});
  }
}

}  // namespace tenon::lower

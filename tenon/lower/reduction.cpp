#include "tenon/base/error.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

using kernel::FoldAxis;
using kernel::ValueId;

Reduction::Reduction(const ir::Graph& graph, const Region& region, std::uint32_t node)
    : op_(std::get<ir::Reduce>(graph.node(node).op)),
      node_(node),
      operand_(graph.node(node).operands[0]),
      operand_type_(graph.type(operand_)) {
  const ir::Value extreme{node, 0};
  needs_extreme_ = std::ranges::count(region.outputs, extreme) > 0;
  for (const std::uint32_t user : region.nodes)
    needs_extreme_ |= std::ranges::count(graph.node(user).operands, extreme) > 0;
}

std::vector<TensorType> Reduction::carried_types(const Shape& shape) const {
  if (finds_position()) return {{operand_type_.dtype, shape}, {DType::i32, shape}};
  return {{op_.accumulate, shape}};
}

std::vector<ValueId> Reduction::start(Emitter& emitter, std::int64_t rows,
                                      std::int64_t lanes) const {
  const auto repeated = [&](ValueId scalar) {
    return emitter.builder().splat(scalar, rows, lanes);
  };
  if (!finds_position()) return {repeated(neutral_element(emitter, op_.kind, op_.accumulate))};
  return {repeated(neutral_element(emitter, op_.kind, operand_type_.dtype)),
          repeated(emitter.constant(DType::i32, 0))};
}

std::vector<ValueId> Reduction::fold(Emitter& emitter, FoldAxis axis, ValueId tile,
                                     ValueId first) const {
  kernel::KernelBuilder& b = emitter.builder();
  const Frame& frame = emitter.frame();
  const std::int64_t active = axis == FoldAxis::lanes ? frame.active_lanes : frame.active_rows;
  const ScalarFunction f = combining_function(op_.kind);
  if (!finds_position()) {
    const ValueId wide = emitter.full_tile(b.cast(tile, op_.accumulate));
    return {emitter.fold(f, axis, wide, active)};
  }
  check(axis == FoldAxis::rows || frame.rows == 1, "positions are found along one row");
  const ValueId full = emitter.full_tile(tile);
  const ValueId best = emitter.fold(f, axis, full, active);
  ValueId is_best = emitter.call(ScalarFunction::equal, {full, best});
  if (is_float(operand_type_.dtype)) {
    const ValueId both_nan =
        emitter.call(ScalarFunction::logical_and, {is_nan(emitter, full), is_nan(emitter, best)});
    is_best = emitter.call(ScalarFunction::logical_or, {is_best, both_nan});
  }
  const ValueId none = emitter.constant(DType::i32, std::numeric_limits<std::int32_t>::max());
  const ValueId numbers = axis == FoldAxis::lanes
                              ? b.lane_index(DType::i32, 1, frame.lanes)
                              : b.row_index(DType::i32, frame.rows, frame.lanes);
  const ValueId place =
      emitter.fold(ScalarFunction::minimum, axis, b.select(is_best, numbers, none), active);
  ValueId found = best;
  if (is_float(operand_type_.dtype) && needs_extreme_) {
    // Zeros of both signs are equal: the value is that of the place.
    const ValueId is_there = emitter.call(ScalarFunction::equal, {numbers, place});
    const ValueId neutral = neutral_element(emitter, op_.kind, operand_type_.dtype);
    found = emitter.fold(f, axis, b.select(is_there, full, neutral), active);
  }
  return {found, emitter.call(ScalarFunction::add, {place, b.cast(first, DType::i32)})};
}

std::vector<ValueId> Reduction::fold_carried(Emitter& emitter,
                                             std::span<const ValueId> carried) const {
  check(!finds_position(), "positions are not folded along rows");
  const std::int64_t rows = emitter.type(carried[0]).rows;
  if (rows == 1) return {carried[0]};
  return {emitter.fold(combining_function(op_.kind), FoldAxis::rows, carried[0], rows)};
}

std::vector<ValueId> Reduction::combine(Emitter& emitter, std::span<const ValueId> earlier,
                                        std::span<const ValueId> later) const {
  if (!finds_position())
    return {emitter.call(combining_function(op_.kind), {earlier[0], later[0]})};
  const bool smallest = op_.kind == ir::ReduceKind::argmin;
  const ValueId is_better = replaces(emitter, smallest, later[0], earlier[0]);
  return {emitter.builder().select(is_better, later[0], earlier[0]),
          emitter.builder().select(is_better, later[1], earlier[1])};
}

std::vector<ValueId> Reduction::lift(Emitter& emitter, ValueId tile, ValueId position) const {
  if (!finds_position()) return {emitter.full_tile(emitter.builder().cast(tile, op_.accumulate))};
  const ValueId number = emitter.builder().cast(position, DType::i32);
  return {emitter.full_tile(tile), emitter.full_tile(number)};
}

void Reduction::set_known(Emitter& emitter, std::span<const ValueId> carried,
                          const Affine& at) const {
  emitter.set_known({node_, 0}, emitter.builder().cast(carried[0], operand_type_.dtype), at);
  if (finds_position()) emitter.set_known({node_, 1}, carried[1], at);
}

}  // namespace tenon::lower

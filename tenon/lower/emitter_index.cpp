#include "tenon/base/error.h"
#include "tenon/lower/emitter.h"

namespace tenon::lower {

using kernel::ValueId;

Index Emitter::constant_index(std::int64_t value) const {
  return {constant_affine(space_, value), {}, {value, value}};
}

Index Emitter::flat(const Position& position) {
  if (position.flat) return *position.flat;
  Index total = constant_index(0);
  const Shape strides = row_major_strides(position.shape);
  for (const bool wants_tiles : {false, true})  // what is still affine stays so
    for (std::size_t i = 0; i < strides.size(); ++i)
      if (position.shape[i] != 1 && position.axes[i]->tile.has_value() == wants_tiles)
        total = add(total, scale(*position.axes[i], strides[i]));
  return total;
}

Index Emitter::along(const Position& position, std::size_t axis) {
  const std::int64_t extent = position.shape[axis];
  if (extent == 1) return constant_index(0);
  if (position.axes[axis]) return *position.axes[axis];
  const std::int64_t stride = row_major_strides(position.shape)[axis];
  bool is_outermost = true;
  for (std::size_t i = 0; i < axis; ++i) is_outermost = is_outermost && position.shape[i] == 1;
  const Index quotient = divide(*position.flat, stride);
  return is_outermost ? quotient : modulo(quotient, extent);
}

Index Emitter::computed(ValueId value, Range range) {
  if (!type(value).is_scalar()) return {constant_affine(space_, 0), as_index(value), range};
  Affine affine = constant_affine(space_, 0);
  affine.runtime.push_back({builder_.cast(value, DType::i64), 1, range});
  return {std::move(affine), {}, {}};
}

Range Emitter::range_of(const Index& index) const {
  return index.tile ? index.range : lower::range_of(index.affine, space_);
}

Index Emitter::add(const Index& a, const Index& b) {
  if (!a.tile && !b.tile) return {sum(a.affine, b.affine), {}, {}};
  const auto is_zero = [](const Index& index) {
    return !index.tile && index.affine.is_constant() && index.affine.constant == 0;
  };
  if (is_zero(a)) return b;
  if (is_zero(b)) return a;
  const Range first = range_of(a), second = range_of(b);
  const Range range{first.low + second.low, first.high + second.high};
  if (a.tile.has_value() != b.tile.has_value())
    if (const auto run = a.tile ? run_from(*a.tile, b.affine) : run_from(*b.tile, a.affine))
      return {constant_affine(space_, 0), run, range};
  return computed(call(ScalarFunction::add, {as_index(materialise(a)), as_index(materialise(b))}),
                  range);
}

// That a row of indices is a run of memory, compilers see only in the arithmetic of addresses.
std::optional<ValueId> Emitter::run_from(ValueId tile, const Affine& affine) {
  if (!options().gather_runs || !same_over_lanes_.contains(tile)) return std::nullopt;
  const auto at = place(affine);
  if (!at || at->row_step != 0 || at->lane_step != 1) return std::nullopt;
  const ValueId start = call(ScalarFunction::add, {builder_.cast(tile, DType::i64), at->offset});
  return call(ScalarFunction::add,
              {start, builder_.lane_index(DType::i64, frame().rows, frame().lanes)});
}

Index Emitter::scale(const Index& a, std::int64_t factor) {
  if (!a.tile) return {scaled(a.affine, factor), {}, {}};
  if (factor == 1) return a;
  const Range range{std::min(a.range.low * factor, a.range.high * factor),
                    std::max(a.range.low * factor, a.range.high * factor)};
  return computed(
      call(ScalarFunction::multiply, {as_index(*a.tile), index_constant(index_type_, factor)}),
      range);
}

Index Emitter::divide(const Index& a, std::int64_t n) {
  if (n == 1) return a;
  if (!a.tile) {
    if (auto parts = lower::divide(a.affine, n, space_)) return {parts->quotient, {}, {}};
    if (const auto split = find_split(a.affine, n, space_)) wanted_splits_.push_back(*split);
  }
  const ValueId value = materialise(a);
  const Range range = range_of(a);
  return computed(call(ScalarFunction::divide, {value, index_constant(type(value).dtype, n)}),
                  {range.low / n, range.high / n});
}

Index Emitter::modulo(const Index& a, std::int64_t n) {
  if (n == 1) return constant_index(0);
  if (!a.tile) {
    if (auto parts = lower::divide(a.affine, n, space_)) return {parts->remainder, {}, {}};
    if (const auto split = find_split(a.affine, n, space_)) wanted_splits_.push_back(*split);
  }
  const ValueId value = materialise(a);
  return computed(call(ScalarFunction::remainder, {value, index_constant(type(value).dtype, n)}),
                  {0, n - 1});
}

Index Emitter::clamp(const Index& a, std::int64_t low, std::int64_t high) {
  const Range range = range_of(a);
  if (range.low >= low && range.high <= high) return a;
  if (low == high || range.high < low) return constant_index(low);
  if (range.low > high) return constant_index(high);
  note_cuts(a, low, high);
  ValueId value = materialise(a);
  const DType dtype = type(value).dtype;
  if (range.low < low) value = call(ScalarFunction::maximum, {value, index_constant(dtype, low)});
  if (range.high > high)
    value = call(ScalarFunction::minimum, {value, index_constant(dtype, high)});
  return computed(value, {low, high});
}

void Emitter::note_cuts(const Index& index, std::int64_t low, std::int64_t high) {
  if (index.tile || !index.affine.runtime.empty()) return;
  const std::vector<std::int64_t>& coefficients = index.affine.coefficients;
  if (std::ranges::count(coefficients, 0) + 1 != std::ssize(coefficients)) return;
  const auto one = std::ranges::find(coefficients, 1);
  if (one == coefficients.end()) return;
  const auto axis = static_cast<std::size_t>(one - coefficients.begin());
  for (const std::int64_t bound : {low, high + 1}) {
    const std::int64_t position = bound - index.affine.constant;
    if (position > 0 && position < space_[axis].extent) cuts_.push_back({axis, position});
  }
}

std::optional<ValueId> Emitter::inside(const Index& a, std::int64_t low, std::int64_t high) {
  const Range range = range_of(a);
  if (range.high < low || range.low > high) return constant(DType::boolean, 0);
  if (range.low < low || range.high > high) note_cuts(a, low, high);
  std::optional<ValueId> result;
  const auto require_that = [&](ScalarFunction comparison, std::int64_t bound) {
    const ValueId value = materialise(a);
    const ValueId holds = call(comparison, {value, index_constant(type(value).dtype, bound)});
    result = result ? call(ScalarFunction::logical_and, {*result, holds}) : holds;
  };
  if (range.low < low) require_that(ScalarFunction::greater_equal, low);
  if (range.high > high) require_that(ScalarFunction::less_equal, high);
  return result;
}

ValueId Emitter::as_index(ValueId value) {
  if (type(value).dtype == index_type_) return value;
  Key key{-6, value.index};
  if (const auto found = find(key)) return *found;
  const ValueId result = builder_.cast(value, index_type_);
  remember(std::move(key), result);
  return result;
}

ValueId Emitter::numbers(Along along) {
  const Frame& size = frame();
  Key key{-7, static_cast<std::int64_t>(along), size.rows, size.lanes};
  if (const auto found = find(key)) return *found;
  const ValueId result = along == Along::lanes
                             ? builder_.lane_index(index_type_, size.rows, size.lanes)
                             : builder_.row_index(index_type_, size.rows, size.lanes);
  remember(std::move(key), result);
  return result;
}

Along Emitter::direction(const Bound& bound) const {
  if (bound.along == Along::rows && frame().rows == 1) return Along::none;
  if (bound.along == Along::lanes && frame().lanes == 1) return Along::none;
  return bound.along;
}

ValueId Emitter::scalar_part(const Affine& affine) {
  ValueId total = index_constant(DType::i64, affine.constant);
  const auto accumulate = [&](ValueId value, std::int64_t coefficient) {
    if (coefficient == 0) return;
    const ValueId product =
        call(ScalarFunction::multiply, {value, index_constant(DType::i64, coefficient)});
    total = call(ScalarFunction::add, {total, product});
  };
  for (const Bound& bound : state_.bound) {
    if (!depends_on(affine, bound.group)) continue;
    if (const auto step = step_of(affine, bound.group, space_))
      accumulate(bound.base, *step);
    else if (direction(bound) == Along::none)
      total = call(ScalarFunction::add, {total, digit_sum(affine, bound, bound.base)});
  }
  for (const RuntimeTerm& term : affine.runtime) accumulate(term.value, term.coefficient);
  return total;
}

// The group's part of the affine from the digits of a position in the group.
ValueId Emitter::digit_sum(const Affine& affine, const Bound& bound, ValueId position) {
  const DType dtype = type(position).dtype;
  std::optional<ValueId> total;
  std::int64_t inner = 1;
  for (std::size_t i = bound.group.axes.size(); i-- > 0;) {
    const std::size_t axis = bound.group.axes[i];
    const std::int64_t extent = space_[axis].extent;
    if (const std::int64_t coefficient = affine.coefficients[axis]; coefficient != 0) {
      ValueId digit = position;
      if (inner != 1) digit = call(ScalarFunction::divide, {digit, index_constant(dtype, inner)});
      if (i != 0) digit = call(ScalarFunction::remainder, {digit, index_constant(dtype, extent)});
      if (coefficient != 1)
        digit = call(ScalarFunction::multiply, {digit, index_constant(dtype, coefficient)});
      total = total ? call(ScalarFunction::add, {*total, digit}) : digit;
    }
    inner *= extent;
  }
  return *total;
}

std::optional<Emitter::Placed> Emitter::place(const Affine& affine) {
  Placed placed;
  for (std::size_t axis = 0; axis < space_.size(); ++axis) {
    const auto binds = [&](const Bound& bound) {
      return std::ranges::count(bound.group.axes, axis) > 0;
    };
    check(affine.coefficients[axis] == 0 || std::ranges::any_of(state_.bound, binds),
          "a kernel uses axis {} of its space where it has no value", axis);
  }
  for (const Bound& bound : state_.bound) {
    if (direction(bound) == Along::none) continue;
    const auto step = step_of(affine, bound.group, space_);
    if (!step) return std::nullopt;
    (bound.along == Along::rows ? placed.row_step : placed.lane_step) += *step;
  }
  placed.offset = scalar_part(affine);
  return placed;
}

ValueId Emitter::scalar(const Affine& affine) {
  const auto placed = place(affine);
  check(placed && placed->row_step == 0 && placed->lane_step == 0,
        "an index that varies over a tile is used as one number");
  return placed->offset;
}

ValueId Emitter::tile_of(const Affine& affine) {
  Affine steady = affine;  // without what varies over the tile and steps unevenly
  std::vector<ValueId> parts;
  for (const Bound& bound : state_.bound) {
    if (direction(bound) == Along::none || !depends_on(affine, bound.group)) continue;
    ValueId part = numbers(bound.along);
    if (const auto step = step_of(affine, bound.group, space_)) {
      if (*step != 1)
        part = call(ScalarFunction::multiply, {part, index_constant(index_type_, *step)});
      parts.push_back(part);
      continue;
    }
    part = call(ScalarFunction::add, {part, as_index(bound.base)});
    parts.push_back(digit_sum(affine, bound, part));
    for (const std::size_t axis : bound.group.axes) steady.coefficients[axis] = 0;
  }
  ValueId total = as_index(scalar_part(steady));
  for (const ValueId part : parts) total = call(ScalarFunction::add, {part, total});
  return total;
}

ValueId Emitter::materialise(const Index& index) {
  if (index.tile) return *index.tile;
  if (!index.affine.is_constant()) note_form(index.affine, false);
  Key key{-5};
  append(key, index.affine);
  if (const auto found = find(key)) return *found;
  const auto placed = place(index.affine);
  const bool is_scalar = placed && placed->row_step == 0 && placed->lane_step == 0;
  const ValueId result = is_scalar ? placed->offset : tile_of(index.affine);
  remember(std::move(key), result);
  return result;
}

}  // namespace tenon::lower

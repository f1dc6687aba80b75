#include "tenon/lower/emitter.h"

// Instructions that are written once, however often they are asked for.
namespace tenon::lower {

using kernel::ValueId;

ValueId Emitter::call(ScalarFunction f, std::initializer_list<ValueId> operands) {
  Key key{-2, static_cast<std::int64_t>(f)};
  for (const ValueId operand : operands) key.push_back(operand.index);
  if (const auto found = find(key)) return *found;
  const ValueId result = builder_.call(f, operands);
  const auto is_same = [&](ValueId operand) {
    return type(operand).is_scalar() || same_over_lanes_.contains(operand);
  };
  if (!type(result).is_scalar() && std::ranges::all_of(operands, is_same))
    same_over_lanes_.insert(result);
  remember(std::move(key), result);
  return result;
}

// Two reductions may need the same: a softmax and a metric the largest element.
ValueId Emitter::fold(ScalarFunction f, kernel::FoldAxis axis, ValueId tile, std::int64_t active) {
  Key key{-8, static_cast<std::int64_t>(f), static_cast<std::int64_t>(axis), tile.index, active};
  if (const auto found = find(key); found && options().share_folds) return *found;
  const ValueId result = builder_.fold(f, axis, tile, active);
  remember(std::move(key), result);
  return result;
}

ValueId Emitter::constant(DType dtype, double value) {
  Key key{-3, static_cast<std::int64_t>(dtype), std::bit_cast<std::int64_t>(value)};
  if (const auto found = find(key)) return *found;
  const ValueId result = builder_.number(dtype, value);
  remember(std::move(key), result);
  return result;
}

ValueId Emitter::index_constant(DType dtype, std::int64_t value) {
  if (dtype != DType::i64) return constant(dtype, static_cast<double>(value));
  Key key{-4, value};
  if (const auto found = find(key)) return *found;
  const ValueId result = builder_.index(value);
  remember(std::move(key), result);
  return result;
}

ValueId Emitter::full_tile(ValueId value) {
  return builder_.splat(value, frame().rows, frame().lanes);
}

}  // namespace tenon::lower

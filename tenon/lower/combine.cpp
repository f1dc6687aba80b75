#include "tenon/lower/combine.h"

#include "tenon/base/error.h"

namespace tenon::lower {

using kernel::ValueId;

ScalarFunction combining_function(ir::ReduceKind kind) {
  switch (kind) {
    case ir::ReduceKind::sum: return ScalarFunction::add;
    case ir::ReduceKind::product: return ScalarFunction::multiply;
    case ir::ReduceKind::min:
    case ir::ReduceKind::argmin: return ScalarFunction::minimum;
    case ir::ReduceKind::max:
    case ir::ReduceKind::argmax: return ScalarFunction::maximum;
    case ir::ReduceKind::all: return ScalarFunction::logical_and;
    case ir::ReduceKind::any: break;
  }
  return ScalarFunction::logical_or;
}

namespace {

// The largest or lowest value of a type; infinities for floats.
ValueId extreme_element(Emitter& emitter, DType dtype, bool largest) {
  if (is_float(dtype))
    return emitter.constant(dtype, largest ? std::numeric_limits<double>::infinity()
                                           : -std::numeric_limits<double>::infinity());
  const std::uint64_t bits = with_element_type(dtype, [&]<class T>(TypeTag<T>) -> std::uint64_t {
    const T value = largest ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    return word;
  });
  return emitter.builder().literal({dtype, bits});
}

}  // namespace

ValueId neutral_element(Emitter& emitter, ir::ReduceKind kind, DType dtype) {
  switch (kind) {
    case ir::ReduceKind::sum: return emitter.constant(dtype, 0);
    case ir::ReduceKind::product: return emitter.constant(dtype, 1);
    case ir::ReduceKind::min:
    case ir::ReduceKind::argmin: return extreme_element(emitter, dtype, true);
    case ir::ReduceKind::max:
    case ir::ReduceKind::argmax: return extreme_element(emitter, dtype, false);
    case ir::ReduceKind::all: return emitter.constant(DType::boolean, 1);
    case ir::ReduceKind::any: break;
  }
  return emitter.constant(DType::boolean, 0);
}

ValueId is_nan(Emitter& emitter, ValueId value) {
  return emitter.call(ScalarFunction::not_equal, {value, value});
}

ValueId replaces(Emitter& emitter, bool smallest, ValueId candidate, ValueId best) {
  const ValueId better =
      emitter.call(smallest ? ScalarFunction::less : ScalarFunction::greater, {candidate, best});
  if (!is_float(emitter.type(candidate).dtype)) return better;
  const ValueId is_number = emitter.call(ScalarFunction::equal, {best, best});
  const ValueId first_nan =
      emitter.call(ScalarFunction::logical_and, {is_nan(emitter, candidate), is_number});
  return emitter.call(ScalarFunction::logical_or, {better, first_nan});
}

}  // namespace tenon::lower

// Shared by the ops that combine elements: wide accumulation, the order of values, lines and rows.
#pragma once
#include <cmath>
#include <limits>
#include <type_traits>

#include "tenon/base/scalar_convert.h"
#include "tenon/ir/ops/index.h"
#include "tenon/ir/ops/reduce.h"

namespace tenon::ir {

// What the reference sums and multiplies in: f64 for floats; u64 for integers, where wrapping gives
// the same low bits in any width.
template <Element T>
using Accumulator = std::conditional_t<is_float(*kDTypeOf<T>), double, std::uint64_t>;

template <Element T>
Accumulator<T> widen(T value) {
  return convert_element<Accumulator<T>>(value);
}

// All elements of a tensor, widened.
template <class Wide>
std::vector<Wide> widened(const HostTensor& tensor) {
  return with_element_type(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    const auto elements = tensor.as<T>();
    std::vector<Wide> wide(elements.size());
    for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = convert_element<Wide>(elements[i]);
    return wide;
  });
}
// A tensor of the type from accumulated values, each rounded (or wrapped) once.
template <class Wide>
HostTensor narrowed(const std::vector<Wide>& wide, const TensorType& type) {
  HostTensor tensor(type);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    const auto elements = tensor.as<T>();
    for (std::size_t i = 0; i < wide.size(); ++i) elements[i] = convert_element<T>(wide[i]);
  });
  return tensor;
}

// The element in a type that has operator<.
template <Element T>
auto comparable(T value) {
  if constexpr (is_narrow_float(*kDTypeOf<T>))
    return static_cast<float>(value);
  else
    return value;
}

template <Element T>
bool is_nan(T value) {
  if constexpr (is_float(*kDTypeOf<T>)) return std::isnan(comparable(value));
  return false;
}

// Whether `candidate` takes the place of `best` where positions count: it is strictly more extreme,
// or the first NaN. So ties (also 0 and -0) keep the earlier element.
template <Element T>
bool replaces(bool smallest, T candidate, T best) {
  if (is_nan(best)) return false;
  if (is_nan(candidate)) return true;
  return smallest ? comparable(candidate) < comparable(best)
                  : comparable(candidate) > comparable(best);
}

// The minimum or maximum of two values as the elementwise functions define it: NaN if either is
// NaN, -0 below 0.
template <Element T>
T extreme_of(bool smallest, T a, T b) {
  if constexpr (is_float(*kDTypeOf<T>)) {
    if (comparable(a) == comparable(b)) return std::signbit(comparable(a)) == smallest ? a : b;
  }
  return replaces(smallest, b, a) ? b : a;
}

// The neutral element of min (the largest value) or max (the lowest); infinities for floats.
template <Element T>
T neutral_extreme(bool smallest) {
  if constexpr (is_float(*kDTypeOf<T>)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return convert_element<T>(smallest ? infinity : -infinity);
  } else {
    return smallest ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
  }
}

std::string_view name(ReduceKind kind);
// `kind` takes this element type: bool for all and any, numbers for the others.
void require_reducible(std::string_view op, ReduceKind kind, const TensorType& type);
// Float sums and products accumulate in a float type at least as precise as the operand's;
// everything else in the operand's type.
void require_accumulation(std::string_view op, ReduceKind kind, DType accumulate,
                          const TensorType& type);

// The positions of all elements along `axes` (row-major in the order listed), other indices 0.
std::vector<std::int64_t> offsets_along(const Shape& shape, std::span<const std::int64_t> axes);

// Calls visit(position of the first element, distance to the next, extent) for every line along
// the axis, in row-major order of the other axes.
template <class Visit>
void for_each_line(const Shape& shape, std::int64_t axis, Visit&& visit) {
  const std::size_t a = static_cast<std::size_t>(axis);
  const std::int64_t stride = row_major_strides(shape)[a];
  const Axes others = other_axes(std::array{axis}, static_cast<std::int64_t>(shape.size()));
  for (const std::int64_t first : offsets_along(shape, others)) visit(first, stride, shape[a]);
}

// Gradients that work along some axes of x lay it out as [rows, n], those axes flattened last...
Value to_rows(Builder& b, Value x, const Axes& axes);
// ...and back to `shape`.
Value from_rows(Builder& b, Value rows, const Shape& shape, const Axes& axes);

// result[i] = x[i - distance] along the axis, `fill` where there is no such element.
Value shifted(Builder& b, Value x, std::int64_t axis, std::int64_t distance, double fill);

// Two operands of one number type; the result a float for floats, an integer for integers.
void require_product_types(std::string_view op, OperandTypes types, DType result);
// The float type that holds both: what a product of two element types is computed in.
DType common_float(DType a, DType b);

}  // namespace tenon::ir

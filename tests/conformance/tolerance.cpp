#include "tolerance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tenon/base/variant.h"

namespace tenon::conformance {
using namespace ir;
namespace {

int mantissa_bits(DType dtype) {
  if (dtype == DType::f16) return 11;
  if (dtype == DType::bf16) return 8;
  return dtype == DType::f32 ? 24 : 53;
}
int lowest_exponent(DType dtype) {  // of a normal number m * 2^e with 1 <= m < 2
  if (dtype == DType::f16) return -14;
  return dtype == DType::f64 ? -1022 : -126;
}
double epsilon(DType dtype) { return std::ldexp(1.0, 1 - mantissa_bits(dtype)); }

double unit_in_last_place(double value, DType dtype) {
  const int exponent = value == 0 ? lowest_exponent(dtype) : std::ilogb(value);
  return std::ldexp(1.0, std::max(exponent, lowest_exponent(dtype)) + 1 - mantissa_bits(dtype));
}

double largest_magnitude(const HostTensor& tensor) {
  double largest = 0;
  if (!is_float(tensor.dtype())) return largest;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const double magnitude = std::abs(element_as_double(tensor, i));
    if (std::isfinite(magnitude)) largest = std::max(largest, magnitude);
  }
  return largest;
}

// sum |a| |b|: what the op gives for the absolute values of its operands.
template <class SumOp>
double sum_of_magnitudes(const SumOp& op, OperandValues values) {
  HostTensors magnitudes;
  for (const HostTensor* value : values) {
    magnitudes.push_back(converted(*value, DType::f64));
    for (double& x : magnitudes.back().template as<double>()) x = std::abs(x);
    magnitudes.back() = converted(magnitudes.back(), value->dtype());
  }
  std::vector<const HostTensor*> operands;
  for (const HostTensor& magnitude : magnitudes) operands.push_back(&magnitude);
  return largest_magnitude(evaluate(op, operands)[0]);
}

// One rounding of the result, and 4 eps sqrt(K) sum|a||b| of the accumulation type for K terms.
template <class SumOp>
Tolerance sum_row(const SumOp& op, OperandValues values, DType accumulate, double terms) {
  if (!is_float(values[0]->dtype())) return {};
  return {1, 4 * epsilon(accumulate) * std::sqrt(terms) * sum_of_magnitudes(op, values),
          "sum: 4 eps sqrt(K) sum|a||b|"};
}

DType wide(DType dtype) { return is_narrow_float(dtype) ? DType::f32 : dtype; }

double product_of(const Shape& shape, const Axes& axes) {
  double product = 1;
  for (const std::int64_t axis : axes)
    product *= static_cast<double>(shape[static_cast<std::size_t>(axis)]);
  return product;
}

template <class T, class... Choices>
concept OneOf = (std::same_as<T, Choices> || ...);

// Leaves, movement, selection and order: no arithmetic, or a defined order of exact arithmetic.
template <OneOf<Parameter, Constant, Iota, Select, Cast, Bitcast, Broadcast, Reshape, Transpose,
                Reverse, Slice, Pad, Concatenate, DynamicSlice, DynamicUpdateSlice, Gather, Scatter,
                Sort, Barrier, ShardingConstraint, RandomBits>
              ExactOp>
Tolerance row(const ExactOp&, OperandValues, const HostTensors&) {
  return {};
}

bool is_exact(ScalarFunction f) {
  switch (f) {
    case ScalarFunction::exp:
    case ScalarFunction::expm1:
    case ScalarFunction::log:
    case ScalarFunction::log1p:
    case ScalarFunction::rsqrt:
    case ScalarFunction::cbrt:
    case ScalarFunction::sin:
    case ScalarFunction::cos:
    case ScalarFunction::tan:
    case ScalarFunction::tanh:
    case ScalarFunction::logistic:
    case ScalarFunction::erf:
    case ScalarFunction::power:
    case ScalarFunction::atan2: return false;
    case ScalarFunction::negate:
    case ScalarFunction::abs:
    case ScalarFunction::sign:
    case ScalarFunction::floor:
    case ScalarFunction::ceil:
    case ScalarFunction::round_nearest_even:
    case ScalarFunction::sqrt:
    case ScalarFunction::is_finite:
    case ScalarFunction::logical_not:
    case ScalarFunction::population_count:
    case ScalarFunction::add:
    case ScalarFunction::subtract:
    case ScalarFunction::multiply:
    case ScalarFunction::divide:
    case ScalarFunction::remainder:
    case ScalarFunction::minimum:
    case ScalarFunction::maximum:
    case ScalarFunction::logical_and:
    case ScalarFunction::logical_or:
    case ScalarFunction::logical_xor:
    case ScalarFunction::shift_left:
    case ScalarFunction::shift_right_logical:
    case ScalarFunction::shift_right_arithmetic:
    case ScalarFunction::equal:
    case ScalarFunction::not_equal:
    case ScalarFunction::less:
    case ScalarFunction::less_equal:
    case ScalarFunction::greater:
    case ScalarFunction::greater_equal: break;
  }
  return true;
}

Tolerance row(const Elementwise& op, OperandValues, const HostTensors&) {
  if (is_exact(op.function)) return {};
  return {2, 0, "scalar function: 2 ulp"};
}

// Sums as above; a product of K factors may be off by the rounding of each of them.
template <class ReduceOp>
Tolerance reduce_row(const ReduceOp& op, OperandValues values, double terms) {
  if (!is_float(values[0]->dtype())) return {};
  if (op.kind == ReduceKind::sum) return sum_row(op, values, op.accumulate, terms);
  if (op.kind != ReduceKind::product) return {};
  return {1 + 2 * terms, 0, "product: 2 ulp for each factor"};
}

Tolerance row(const Reduce& op, OperandValues values, const HostTensors&) {
  return reduce_row(op, values, product_of(values[0]->shape(), op.axes));
}
Tolerance row(const CumulativeReduce& op, OperandValues values, const HostTensors&) {
  return reduce_row(op, values, product_of(values[0]->shape(), {op.axis}));
}
Tolerance row(const WindowReduce& op, OperandValues values, const HostTensors&) {
  if (op.kind != ReduceKind::sum) return {};
  return sum_row(op, values, op.accumulate, static_cast<double>(element_count(op.window.size)));
}
Tolerance row(const WindowSelect& op, OperandValues values, const HostTensors&) {
  if (op.direction == WindowDirection::gather || !is_float(values[0]->dtype())) return {};
  // Each element can be the extreme of as many windows as a window has elements.
  const double terms = static_cast<double>(element_count(op.window.size));
  return {1, 4 * epsilon(wide(values[1]->dtype())) * terms * largest_magnitude(*values[1]),
          "sum of the windows that select an element"};
}
Tolerance row(const Dot& op, OperandValues values, const HostTensors&) {
  return sum_row(op, values, wide(values[0]->dtype()),
                 product_of(values[0]->shape(), op.lhs_contracting));
}
Tolerance row(const Convolution& op, OperandValues values, const HostTensors&) {
  const Shape& kernel = values[1]->shape();
  const double terms =
      product_of(kernel, op.kernel_spatial) * product_of(kernel, {op.kernel_input});
  return sum_row(op, values, wide(values[0]->dtype()), terms);
}

// Several scalar functions and sums one after the other, over the elements of the operands.
template <OneOf<Scan, While, Cond, CustomGradient, Softmax, LogSoftmax, SparseCrossEntropy,
                LayerNorm, LayerNormGradient, RmsNorm, Attention, AdamUpdate, MomentumUpdate>
              CompoundOp>
Tolerance row(const CompoundOp&, OperandValues values, const HostTensors& results) {
  double magnitude = 1, terms = 1, eps = 0;
  for (const HostTensor* value : values)
    terms = std::max(terms, static_cast<double>(value->size()));
  for (const HostTensor& result : results) {
    magnitude = std::max(magnitude, largest_magnitude(result));
    if (is_float(result.dtype())) eps = std::max(eps, epsilon(result.dtype()));
  }
  return {16, 8 * eps * std::sqrt(terms) * magnitude, "several functions and sums in a row"};
}

// The position of a float among the floats of its type, for messages and equality of bits.
bool same_bits_or_nan(const HostTensor& a, const HostTensor& b, std::int64_t i) {
  if (is_float(a.dtype()) && std::isnan(element_as_double(a, i)))
    return std::isnan(element_as_double(b, i));
  const std::size_t size = size_of(a.dtype());
  const auto start = static_cast<std::size_t>(i) * size;
  return std::ranges::equal(a.bytes().subspan(start, size), b.bytes().subspan(start, size));
}

// Infinities count as the next number after the largest one, so that rounding may reach them.
double finite_stand_in(double value, DType dtype) {
  if (!std::isinf(value)) return value;
  const int exponent = dtype == DType::f16 ? 16 : dtype == DType::f64 ? 1023 : 128;
  return std::copysign(std::ldexp(1.0, exponent), value);
}

bool is_within(const HostTensor& expected, const HostTensor& actual, std::int64_t i,
               const Tolerance& tolerance) {
  if (same_bits_or_nan(expected, actual, i)) return true;
  const DType dtype = expected.dtype();
  if (!is_float(dtype) || (tolerance.ulps == 0 && tolerance.absolute == 0)) return false;
  double e = element_as_double(expected, i);
  double a = element_as_double(actual, i);
  if (std::isnan(e) || std::isnan(a)) return false;
  if (e == 0 && a == 0) return tolerance.absolute > 0;  // a zero of the other sign
  e = finite_stand_in(e, dtype);
  a = finite_stand_in(a, dtype);
  return std::abs(e - a) <= tolerance.ulps * unit_in_last_place(e, dtype) + tolerance.absolute;
}

}  // namespace

Tolerance tolerance_of(const Case& c) {
  Tolerance total;
  std::vector<HostTensors> computed;
  for (const Node& node : c.graph.nodes()) {
    std::vector<const HostTensor*> operands;
    for (const Value v : node.operands) operands.push_back(&computed[v.node][v.result]);
    if (const auto* parameter = std::get_if<Parameter>(&node.op))
      computed.push_back({c.inputs[static_cast<std::size_t>(parameter->position)]});
    else
      computed.push_back(evaluate(node.op, operands));
    const Tolerance one =
        std::visit([&](const auto& op) { return row(op, operands, computed.back()); }, node.op);
    total.ulps += one.ulps;
    total.absolute += one.absolute;
    if (!one.reason.empty() && total.reason.find(one.reason) == std::string::npos)
      total.reason += (total.reason.empty() ? "" : "; ") + one.reason;
  }
  return total;
}

void compare(const HostTensor& expected, const HostTensor& actual, const Tolerance& tolerance) {
  if (expected.type() != actual.type()) {
    ADD_FAILURE() << "expected " << to_string(expected.type()) << ", got "
                  << to_string(actual.type());
    return;
  }
  std::int64_t wrong = 0, first = 0, worst = 0;
  double worst_difference = -1;
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    if (is_within(expected, actual, i, tolerance)) continue;
    if (wrong++ == 0) first = i;
    const double difference =
        std::abs(element_as_double(expected, i) - element_as_double(actual, i));
    if (!(difference <= worst_difference)) {
      worst = i;
      worst_difference = difference;
    }
  }
  if (wrong == 0) return;
  const auto show = [&](std::int64_t i) {
    return fmt::format("element {}: expected {}, got {}", i, element_as_double(expected, i),
                       element_as_double(actual, i));
  };
  ADD_FAILURE() << fmt::format(
      "{} of {} elements of {} differ by more than {} ulp + {} ({}); first {}; worst {}", wrong,
      expected.size(), expected.type(), tolerance.ulps, tolerance.absolute,
      tolerance.reason.empty() ? "exact" : tolerance.reason, show(first), show(worst));
}

}  // namespace tenon::conformance

// Reductions: combine elements along axes, which disappear (Reduce) or stay (CumulativeReduce).
#pragma once
#include <array>
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

enum class ReduceKind : std::uint8_t { sum, product, min, max, all, any, argmin, argmax };
constexpr auto enum_names(ReduceKind) {
  return std::to_array<std::string_view>(
      {"sum", "product", "min", "max", "all", "any", "argmin", "argmax"});
}
constexpr bool is_arg_reduce(ReduceKind kind) {
  return kind == ReduceKind::argmin || kind == ReduceKind::argmax;
}

// Combines all elements along the axes; those axes disappear. An empty reduction gives the neutral
// element (sum 0, product 1, min/max the largest/lowest value, infinities for floats).
// all/any take bool. min/max propagate NaN. argmin/argmax take one axis of non-zero extent and have
// two results: the value and the i32 position of its first occurrence (NaN wins).
// Float sums and products accumulate in `accumulate` and round once; it equals the operand's type
// for every other kind and type.
struct Reduce {
  static constexpr std::string_view kName = "reduce";
  ReduceKind kind = ReduceKind::sum;
  Axes axes;  // sorted, unique
  DType accumulate = DType::f32;
  bool operator==(const Reduce&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("kind", op.kind);
    visit("axes", op.axes);
    visit("accumulate", op.accumulate);
  }
};

// result[i] = combination of elements 0..i along the axis (i..end if reverse).
// Kinds sum, product, min, max.
struct CumulativeReduce {
  static constexpr std::string_view kName = "cumulative_reduce";
  ReduceKind kind = ReduceKind::sum;
  std::int64_t axis = 0;
  bool reverse = false;
  DType accumulate = DType::f32;
  bool operator==(const CumulativeReduce&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("kind", op.kind);
    visit("axis", op.axis);
    visit("reverse", op.reverse);
    visit("accumulate", op.accumulate);
  }
};

TensorTypes infer_types(const Reduce& op, OperandTypes types);
HostTensors evaluate(const Reduce& op, OperandValues values);
Gradients gradient(const Reduce& op, const GradientInputs& in);

TensorTypes infer_types(const CumulativeReduce& op, OperandTypes types);
HostTensors evaluate(const CumulativeReduce& op, OperandValues values);
Gradients gradient(const CumulativeReduce& op, const GradientInputs& in);

}  // namespace tenon::ir

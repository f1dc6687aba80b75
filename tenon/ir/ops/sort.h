// Stable sorting along one axis, with any number of operands carried along.
#pragma once
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// Sorts operand 0 (the keys) along the axis, stably, and permutes the other operands (same shape)
// alike; one result per operand. Floats by the total order with -0 equal to 0 and NaN after
// everything, also when descending.
struct Sort {
  static constexpr std::string_view kName = "sort";
  std::int64_t axis = 0;
  bool descending = false;
  bool operator==(const Sort&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("axis", op.axis);
    visit("descending", op.descending);
  }
};

TensorTypes infer_types(const Sort& op, OperandTypes types);
HostTensors evaluate(const Sort& op, OperandValues values);
Gradients gradient(const Sort& op, const GradientInputs& in);

}  // namespace tenon::ir

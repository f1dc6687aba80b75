// Slices whose position is known only at run time; starts are clamped so that the slice fits.
#pragma once
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// Operands (x, start_0, ..., start_{rank-1}); starts are integer scalars of one type.
struct DynamicSlice {
  static constexpr std::string_view kName = "dynamic_slice";
  Shape sizes;  // result shape
  bool operator==(const DynamicSlice&) const = default;
  static void fields(auto& op, auto&& visit) { visit("sizes", op.sizes); }
};

// Operands (x, update, start_0, ...): x with update written at the starts.
struct DynamicUpdateSlice {
  static constexpr std::string_view kName = "dynamic_update_slice";
  bool operator==(const DynamicUpdateSlice&) const = default;
  static void fields(auto&, auto&&) {}
};

TensorTypes infer_types(const DynamicSlice& op, OperandTypes types);
HostTensors evaluate(const DynamicSlice& op, OperandValues values);
Gradients gradient(const DynamicSlice& op, const GradientInputs& in);

TensorTypes infer_types(const DynamicUpdateSlice& op, OperandTypes types);
HostTensors evaluate(const DynamicUpdateSlice& op, OperandValues values);
Gradients gradient(const DynamicUpdateSlice& op, const GradientInputs& in);

}  // namespace tenon::ir

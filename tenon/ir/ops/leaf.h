// Ops without operands: graph inputs, constants and iota.
#pragma once
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// Input number `position` of the graph's signature.
struct Parameter {
  static constexpr std::string_view kName = "parameter";
  std::int64_t position = 0;
  TensorType type;
  bool operator==(const Parameter&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("position", op.position);
    visit("type", op.type);
  }
};

// Literal data. A tensor of one repeated value is a Broadcast of a scalar Constant (see build.h).
struct Constant {
  static constexpr std::string_view kName = "constant";
  ConstantRef value;
  bool operator==(const Constant&) const = default;
  static void fields(auto& op, auto&& visit) { visit("value", op.value); }
};

// result[i0, ..., in] = i_axis, in the (number) element type of `type`.
struct Iota {
  static constexpr std::string_view kName = "iota";
  TensorType type;
  std::int64_t axis = 0;
  bool operator==(const Iota&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("type", op.type);
    visit("axis", op.axis);
  }
};

TensorTypes infer_types(const Parameter& op, OperandTypes types);
HostTensors evaluate(const Parameter& op,
                     OperandValues values);  // InternalError: interpret does it
Gradients gradient(const Parameter& op, const GradientInputs& in);

TensorTypes infer_types(const Constant& op, OperandTypes types);
HostTensors evaluate(const Constant& op, OperandValues values);
Gradients gradient(const Constant& op, const GradientInputs& in);

TensorTypes infer_types(const Iota& op, OperandTypes types);
HostTensors evaluate(const Iota& op, OperandValues values);
Gradients gradient(const Iota& op, const GradientInputs& in);

}  // namespace tenon::ir

// Elementwise ops: a scalar function, a choice or a conversion applied at every position.
#pragma once
#include "tenon/base/scalar_function.h"
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// result[i] = function(operands[i]...); all operands have one type. Printed under the function's
// own name.
struct Elementwise {
  static constexpr std::string_view kName = "elementwise";
  ScalarFunction function = ScalarFunction::add;
  bool operator==(const Elementwise&) const = default;
  static void fields(auto& op, auto&& visit) { visit("function", op.function); }
};

// result[i] = predicate[i] ? on_true[i] : on_false[i]; operands (predicate bool, on_true, on_false)
// of one shape.
struct Select {
  static constexpr std::string_view kName = "select";
  bool operator==(const Select&) const = default;
  static void fields(auto&, auto&&) {}
};

// Converts each element to `dtype` by the rules of base/scalar_convert.h.
struct Cast {
  static constexpr std::string_view kName = "cast";
  DType dtype = DType::f32;
  bool operator==(const Cast&) const = default;
  static void fields(auto& op, auto&& visit) { visit("dtype", op.dtype); }
};

// Reinterprets the bits of each element as another type of the same size (bool excluded).
struct Bitcast {
  static constexpr std::string_view kName = "bitcast";
  DType dtype = DType::u32;
  bool operator==(const Bitcast&) const = default;
  static void fields(auto& op, auto&& visit) { visit("dtype", op.dtype); }
};

TensorTypes infer_types(const Elementwise& op, OperandTypes types);
HostTensors evaluate(const Elementwise& op, OperandValues values);
Gradients gradient(const Elementwise& op, const GradientInputs& in);

TensorTypes infer_types(const Select& op, OperandTypes types);
HostTensors evaluate(const Select& op, OperandValues values);
Gradients gradient(const Select& op, const GradientInputs& in);

TensorTypes infer_types(const Cast& op, OperandTypes types);
HostTensors evaluate(const Cast& op, OperandValues values);
Gradients gradient(const Cast& op, const GradientInputs& in);

TensorTypes infer_types(const Bitcast& op, OperandTypes types);
HostTensors evaluate(const Bitcast& op, OperandValues values);
Gradients gradient(const Bitcast& op, const GradientInputs& in);

}  // namespace tenon::ir

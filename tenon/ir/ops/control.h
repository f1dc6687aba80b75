// Control flow with sub-graphs: scan, while, cond; and custom gradients.
#pragma once
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// Runs body `length` times. Operands: `carried` values, then `scanned` ones (leading axis =
// length), then invariants. Body inputs: carried, one slice of each scanned (the leading axis
// removed), invariants. Body outputs: the next carried, then per-step values. Results: the final
// carried, then each per-step value stacked along a new leading axis. `reverse` runs the steps from
// last to first.
struct Scan {
  static constexpr std::string_view kName = "scan";
  GraphRef body;
  std::int64_t length = 0;
  std::int64_t carried = 0;
  std::int64_t scanned = 0;
  bool reverse = false;
  bool operator==(const Scan&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("body", op.body);
    visit("length", op.length);
    visit("carried", op.carried);
    visit("scanned", op.scanned);
    visit("reverse", op.reverse);
  }
};

// Operands are the state; while condition(state) (a bool scalar) is true, state = body(state).
// No derivative.
struct While {
  static constexpr std::string_view kName = "while";
  GraphRef condition;
  GraphRef body;
  bool operator==(const While&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("condition", op.condition);
    visit("body", op.body);
  }
};

// Operand 0 is a bool scalar; the others are passed to on_true or on_false, whose outputs have
// equal types and are the results.
struct Cond {
  static constexpr std::string_view kName = "cond";
  GraphRef on_true;
  GraphRef on_false;
  bool operator==(const Cond&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("on_true", op.on_true);
    visit("on_false", op.on_false);
  }
};

// Computes forward(operands). Its derivative is backward(operands..., results..., one upstream per
// result...) -> one gradient per operand (ignored for integer and bool operands).
struct CustomGradient {
  static constexpr std::string_view kName = "custom_gradient";
  GraphRef forward;
  GraphRef backward;
  bool operator==(const CustomGradient&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("forward", op.forward);
    visit("backward", op.backward);
  }
};

TensorTypes infer_types(const Scan& op, OperandTypes types);
HostTensors evaluate(const Scan& op, OperandValues values);
Gradients gradient(const Scan& op, const GradientInputs& in);

TensorTypes infer_types(const While& op, OperandTypes types);
HostTensors evaluate(const While& op, OperandValues values);
Gradients gradient(const While& op, const GradientInputs& in);

TensorTypes infer_types(const Cond& op, OperandTypes types);
HostTensors evaluate(const Cond& op, OperandValues values);
Gradients gradient(const Cond& op, const GradientInputs& in);

TensorTypes infer_types(const CustomGradient& op, OperandTypes types);
HostTensors evaluate(const CustomGradient& op, OperandValues values);
Gradients gradient(const CustomGradient& op, const GradientInputs& in);

}  // namespace tenon::ir

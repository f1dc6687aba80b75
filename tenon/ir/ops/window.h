// Reductions over sliding windows (pooling) and the derivative of choosing a window's extreme.
#pragma once
#include "tenon/ir/ops/definition.h"
#include "tenon/ir/ops/reduce.h"

namespace tenon::ir {

// One sliding window per axis of the operand (extent 1, stride 1 for axes that do not slide).
struct Window {
  Shape size;      // >= 1 each
  Shape strides;   // >= 1
  Shape low;       // padding before, >= 0; padded positions hold the neutral element
  Shape high;      // padding after, >= 0
  Shape dilation;  // distance between neighbouring elements of one window, >= 1
  bool operator==(const Window&) const = default;
  static void fields(auto& w, auto&& visit) {
    visit("size", w.size);
    visit("strides", w.strides);
    visit("low", w.low);
    visit("high", w.high);
    visit("dilation", w.dilation);
  }
};
// Result shape for an operand shape; UserError (starting with `what`) if the window does not fit.
Shape window_result_shape(const Window& window, const Shape& operand, std::string_view what);

enum class WindowDirection : std::uint8_t { scatter, gather };
constexpr auto enum_names(WindowDirection) {
  return std::to_array<std::string_view>({"scatter", "gather"});
}

// result[o] = combination over the window at o. Kinds sum, min, max (NaN propagates).
struct WindowReduce {
  static constexpr std::string_view kName = "window_reduce";
  ReduceKind kind = ReduceKind::max;
  Window window;
  DType accumulate = DType::f32;
  bool operator==(const WindowReduce&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("kind", op.kind);
    visit("window", op.window);
    visit("accumulate", op.accumulate);
  }
};

// Routes through the first extreme element of each window of x (kind min or max; NaN wins).
// scatter(x, upstream[windows]) -> shape of x: adds each upstream element, in window order, at its
// window's extreme. gather(x, c[shape of x]) -> one per window: c at the extreme.
// A window that lies wholly in the padding selects nothing (gather gives 0).
// Each is the derivative of the other.
struct WindowSelect {
  static constexpr std::string_view kName = "window_select";
  ReduceKind kind = ReduceKind::max;
  WindowDirection direction = WindowDirection::scatter;
  Window window;
  bool operator==(const WindowSelect&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("kind", op.kind);
    visit("direction", op.direction);
    visit("window", op.window);
  }
};

TensorTypes infer_types(const WindowReduce& op, OperandTypes types);
HostTensors evaluate(const WindowReduce& op, OperandValues values);
Gradients gradient(const WindowReduce& op, const GradientInputs& in);

TensorTypes infer_types(const WindowSelect& op, OperandTypes types);
HostTensors evaluate(const WindowSelect& op, OperandValues values);
Gradients gradient(const WindowSelect& op, const GradientInputs& in);

}  // namespace tenon::ir

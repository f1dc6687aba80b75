// Ops that move elements and compute nothing: broadcast, reshape, transpose, slice, pad, ...
#pragma once
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// Adds new axes: operand axis i becomes result axis axes[i] (strictly increasing), of equal extent;
// all other result axes repeat.
struct Broadcast {
  static constexpr std::string_view kName = "broadcast";
  Shape shape;  // result shape
  Axes axes;    // one per operand axis
  bool operator==(const Broadcast&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("shape", op.shape);
    visit("axes", op.axes);
  }
};

// The same elements in row-major order under another shape of equal element count.
struct Reshape {
  static constexpr std::string_view kName = "reshape";
  Shape shape;
  bool operator==(const Reshape&) const = default;
  static void fields(auto& op, auto&& visit) { visit("shape", op.shape); }
};

// Result axis i is operand axis permutation[i].
struct Transpose {
  static constexpr std::string_view kName = "transpose";
  Axes permutation;
  bool operator==(const Transpose&) const = default;
  static void fields(auto& op, auto&& visit) { visit("permutation", op.permutation); }
};

// Reverses the order along each of the axes.
struct Reverse {
  static constexpr std::string_view kName = "reverse";
  Axes axes;  // sorted, unique
  bool operator==(const Reverse&) const = default;
  static void fields(auto& op, auto&& visit) { visit("axes", op.axes); }
};

// Elements starts[i], starts[i] + strides[i], ... below limits[i] of each axis;
// 0 <= start <= limit <= extent, stride >= 1.
struct Slice {
  static constexpr std::string_view kName = "slice";
  Shape starts;
  Shape limits;
  Shape strides;
  bool operator==(const Slice&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("starts", op.starts);
    visit("limits", op.limits);
    visit("strides", op.strides);
  }
};

// Surrounds operand 0 by operand 1 (a scalar): low[i] before, high[i] after, interior[i] >= 0
// between elements of axis i. Negative low or high removes elements.
struct Pad {
  static constexpr std::string_view kName = "pad";
  Shape low;
  Shape high;
  Shape interior;
  bool operator==(const Pad&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("low", op.low);
    visit("high", op.high);
    visit("interior", op.interior);
  }
};

// Joins one or more operands along an axis; other extents are equal.
struct Concatenate {
  static constexpr std::string_view kName = "concatenate";
  std::int64_t axis = 0;
  bool operator==(const Concatenate&) const = default;
  static void fields(auto& op, auto&& visit) { visit("axis", op.axis); }
};

TensorTypes infer_types(const Broadcast& op, OperandTypes types);
HostTensors evaluate(const Broadcast& op, OperandValues values);
Gradients gradient(const Broadcast& op, const GradientInputs& in);

TensorTypes infer_types(const Reshape& op, OperandTypes types);
HostTensors evaluate(const Reshape& op, OperandValues values);
Gradients gradient(const Reshape& op, const GradientInputs& in);

TensorTypes infer_types(const Transpose& op, OperandTypes types);
HostTensors evaluate(const Transpose& op, OperandValues values);
Gradients gradient(const Transpose& op, const GradientInputs& in);

TensorTypes infer_types(const Reverse& op, OperandTypes types);
HostTensors evaluate(const Reverse& op, OperandValues values);
Gradients gradient(const Reverse& op, const GradientInputs& in);

TensorTypes infer_types(const Slice& op, OperandTypes types);
HostTensors evaluate(const Slice& op, OperandValues values);
Gradients gradient(const Slice& op, const GradientInputs& in);

TensorTypes infer_types(const Pad& op, OperandTypes types);
HostTensors evaluate(const Pad& op, OperandValues values);
Gradients gradient(const Pad& op, const GradientInputs& in);

TensorTypes infer_types(const Concatenate& op, OperandTypes types);
HostTensors evaluate(const Concatenate& op, OperandValues values);
Gradients gradient(const Concatenate& op, const GradientInputs& in);

}  // namespace tenon::ir

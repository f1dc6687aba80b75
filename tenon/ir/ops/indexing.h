// Gather and scatter along axes named by integer index vectors.
#pragma once
#include <array>
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

enum class ScatterKind : std::uint8_t { set, add, multiply, min, max };
constexpr auto enum_names(ScatterKind) {
  return std::to_array<std::string_view>({"set", "add", "multiply", "min", "max"});
}

// Operands x [B..., D...] and indices [B..., I..., k] of integer type; k = axes.size();
// `batch_axes` leading axes B are shared. result[b, i, rest] = x[b, indices[b, i, :] at `axes`,
// rest]: shape [B..., I..., the D axes not in `axes`, in order]. Out-of-range indices clamp.
struct Gather {
  static constexpr std::string_view kName = "gather";
  Axes axes;  // axes of x (>= batch_axes), unique, in the order of the index vector
  std::int64_t batch_axes = 0;
  bool operator==(const Gather&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("axes", op.axes);
    visit("batch_axes", op.batch_axes);
  }
};

// Operands x, indices, updates, shaped as Gather's operand, indices and result: x with each update
// combined at its index. Out-of-range updates are dropped; duplicates combine in row-major order of
// the updates (for set, the last one wins).
struct Scatter {
  static constexpr std::string_view kName = "scatter";
  ScatterKind kind = ScatterKind::add;
  Axes axes;
  std::int64_t batch_axes = 0;
  bool operator==(const Scatter&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("kind", op.kind);
    visit("axes", op.axes);
    visit("batch_axes", op.batch_axes);
  }
};

TensorTypes infer_types(const Gather& op, OperandTypes types);
HostTensors evaluate(const Gather& op, OperandValues values);
Gradients gradient(const Gather& op, const GradientInputs& in);

TensorTypes infer_types(const Scatter& op, OperandTypes types);
HostTensors evaluate(const Scatter& op, OperandValues values);
Gradients gradient(const Scatter& op, const GradientInputs& in);

}  // namespace tenon::ir

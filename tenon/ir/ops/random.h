// Counter-based random bits.
#pragma once
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// Operand: key u32[2]. Result: u32 of `shape`; element i (row-major) is random_word(key, i) of
// base/threefry.h: the same on every backend and under any sharding. No derivative (integers).
struct RandomBits {
  static constexpr std::string_view kName = "random_bits";
  Shape shape;
  bool operator==(const RandomBits&) const = default;
  static void fields(auto& op, auto&& visit) { visit("shape", op.shape); }
};

// For backends without a native kernel: the twenty rounds as elementwise ops.
Graph definition(const RandomBits& op, OperandTypes types);
TensorTypes infer_types(const RandomBits& op, OperandTypes types);
HostTensors evaluate(const RandomBits& op, OperandValues values);
Gradients gradient(const RandomBits& op, const GradientInputs& in);

}  // namespace tenon::ir

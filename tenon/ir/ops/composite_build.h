// What the definitions of composites share: operand checks and steps in at least f32.
#pragma once
#include "tenon/ir/build.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {

// UserError "OP: NAME must be of a float type, got T".
void require_float(std::string_view op, std::string_view name, const TensorType& type);
// UserError "OP: NAME must be EXPECTED, got T".
void require_type(std::string_view op, std::string_view name, const TensorType& type,
                  const TensorType& expected);

// x in the type its computations use: f32 for f16 and bf16.
Value widened(Builder& b, Value x);
// Sum along the axis, which stays with the extent of x: ready to combine with x.
Value sum_along(Builder& b, Value x, std::int64_t axis);
// Largest element along the axis (no gradient flows through it), repeated likewise.
Value max_along(Builder& b, Value x, std::int64_t axis);
Value scale(Builder& b, Value x, double factor);
// A new input named for messages.
Value data_input(Builder& b, std::string name, const TensorType& type);

}  // namespace tenon::ir

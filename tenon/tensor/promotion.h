// The one rule of type promotion and of broadcasting.
#pragma once
#include <vector>

#include "tenon/tensor/tensor.h"

namespace tenon {

// bool < integers < floats; a higher kind wins whatever the widths (i64 + f32 = f32). Among
// integers the smallest type that holds both (u8 + i8 = i32, u32 + i32 = i64; u64 with a signed
// type is a UserError: cast one). Among floats the wider; f16 + bf16 = f32.
DType promote(DType a, DType b);

// NumPy's rule: axes align at the right; extents are equal or 1. UserError naming `what`.
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view what);

// All operands in one trace, of one promoted type (weak scalars give way within their kind: a
// weak float with an integer tensor gives f32) and one broadcast shape.
std::vector<Tensor> promote_and_broadcast(std::span<const Tensor> operands, std::string_view what);
// The same without broadcasting. The results are weak only if all operands are.
std::vector<Tensor> promote_types(std::span<const Tensor> operands, std::string_view what);
// x repeated to the shape by NumPy's rule.
Tensor broadcast_to(const Tensor& x, const Shape& shape);

}  // namespace tenon

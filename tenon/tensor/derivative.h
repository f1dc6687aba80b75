// Functions of one tensor whose derivative is written down instead of derived.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon {

// x itself if it holds floats, else as f32.
Tensor as_real(const Tensor& x);

using TensorMap = Tensor (*)(const Tensor&);

// value(x), with upstream * derivative(x) as gradient. Both compute in `least` or wider, and the
// result is rounded once to the type of x. They see one operand of one type, and no other tensors.
Tensor with_derivative(const Tensor& x, TensorMap value, TensorMap derivative,
                       DType least = DType::f32);

}  // namespace tenon

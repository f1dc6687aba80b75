// Positions of a piece of a sequence whose place is known at run time only.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon {

// rotary_embedding of the steps from `first` (an integer scalar) on: row t of x [..., time, width]
// is turned as that of time first + t. UserError as there, and for another `first`.
Tensor rotary_embedding_from(const Tensor& first, const Tensor& x, double base = 10000,
                             bool interleaved = false);

}  // namespace tenon

// Reference meaning of every scalar function for every element type (docs/semantics.md).
#pragma once
#include <span>

#include "tenon/base/host_tensor.h"
#include "tenon/base/scalar_function.h"

namespace tenon {

// result[i] = f(operands[0][i], ...). Slow and obvious. f32 functions beyond + - * / sqrt are
// computed in f64 and rounded once; f16 and bf16 are computed as f32 and rounded once.
// InternalError unless there are as many operands as f takes, of one type that f accepts.
HostTensor evaluate_scalar_function(ScalarFunction f, std::span<const HostTensor* const> operands);

}  // namespace tenon

// Control flow and derivatives written by hand.
#pragma once
#include <functional>

#include "tenon/tensor/tensor.h"

namespace tenon {

using TensorFunction = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

// f(operands) with the derivative g(operands..., results..., upstream of each result...) -> one
// gradient per operand. Both see only their arguments: other tensors must be passed as operands.
std::vector<Tensor> custom_gradient(const TensorFunction& f, const TensorFunction& g,
                                    std::span<const Tensor> operands);

struct ScanResult {
  std::vector<Tensor> carried;  // final values
  std::vector<Tensor> stacked;  // per-step values along a new first axis
};
// For t = 0 ... length - 1 (or backwards): (carried, outputs) = body(carried..., xs[t]...). The
// body returns the next carried values first, then any number of per-step values. It may use
// Variables and tensors made outside only through `invariants`, passed after the slices.
ScanResult scan(const TensorFunction& body, std::span<const Tensor> initial,
                std::span<const Tensor> xs, std::int64_t length,
                std::span<const Tensor> invariants = {}, bool reverse = false);

// state = body(state) while condition(state) is true. No gradient.
std::vector<Tensor> while_loop(const std::function<Tensor(std::span<const Tensor>)>& condition,
                               const TensorFunction& body, std::span<const Tensor> state);

// on_true(operands) or on_false(operands) by a bool scalar; both return equal types.
std::vector<Tensor> cond(const Tensor& predicate, const TensorFunction& on_true,
                         const TensorFunction& on_false, std::span<const Tensor> operands);

}  // namespace tenon

// How functions make nodes: one op applied to tensors of any traces.
#pragma once
#include "tenon/ir/build.h"
#include "tenon/tensor/tensor.h"
#include "tenon/tensor/trace.h"

namespace tenon {

// The first result; UserError from the op's type rule.
Tensor apply_op(ir::Op op, std::span<const Tensor> operands);
inline Tensor apply_op(ir::Op op, std::initializer_list<Tensor> operands) {
  return apply_op(std::move(op), std::span<const Tensor>(operands.begin(), operands.size()));
}
// All results.
std::vector<Tensor> apply_op_all(ir::Op op, std::span<const Tensor> operands);
inline std::vector<Tensor> apply_op_all(ir::Op op, std::initializer_list<Tensor> operands) {
  return apply_op_all(std::move(op), std::span<const Tensor>(operands.begin(), operands.size()));
}
// All tensors in one trace, which is returned. UserError if one is empty.
std::shared_ptr<Trace> common_trace(std::span<const Tensor> tensors);

// Says of all nodes that `result` is made of, up to `input` (which may be empty), that this part of
// the model made them, unless that is said already.
void mark_origin(const Tensor& result, const Tensor& input, ir::Origin origin);

// For each node whether the values depend on it.
std::vector<bool> needed_for(const ir::Builder& builder, std::span<const ir::Value> values);

}  // namespace tenon

// Products of tensors.
#pragma once
#include <string_view>

#include "tenon/tensor/tensor.h"

namespace tenon {

// NumPy's matmul: rank 1 operands are vectors, leading axes broadcast as batches.
Tensor matmul(const Tensor& x, const Tensor& y);
Tensor dot(const Tensor& x, const Tensor& y);    // sum of products of the last axes of vectors
Tensor outer(const Tensor& x, const Tensor& y);  // [n], [m] -> [n, m]
// Contracts the last `axes` axes of x with the first of y.
Tensor tensordot(const Tensor& x, const Tensor& y, std::int64_t axes = 2);
// Einstein summation of one or two operands: "ij,jk->ik", "bij->bji", "ii->i", "ij->". Letters
// name axes; without "->" the result has the letters that occur once, in alphabetical order.
Tensor einsum(std::string_view equation, std::span<const Tensor> operands);
inline Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands) {
  return einsum(equation, std::span<const Tensor>(operands.begin(), operands.size()));
}

}  // namespace tenon

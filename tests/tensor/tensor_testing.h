// Helpers for tests of tensors: short constants, error texts, gradients by finite differences.
#pragma once
#include <gtest/gtest.h>
#include <functional>

#include "../error_of.h"
#include "tenon/tensor/functions.h"

namespace tenon {

inline Tensor numbers(Shape shape, std::initializer_list<double> values, DType dtype = DType::f64) {
  return Tensor(converted(make_tensor<double>(std::move(shape), values), dtype));
}
inline Tensor typed(DType dtype, Shape shape = {}) { return zeros(std::move(shape), dtype); }

inline std::vector<double> doubles(const HostTensor& tensor) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tensor.size(); ++i) values.push_back(element_as_double(tensor, i));
  return values;
}
inline std::vector<double> doubles(const Tensor& tensor) { return doubles(tensor.value()); }

}  // namespace tenon

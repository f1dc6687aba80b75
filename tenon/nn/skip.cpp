#include "tenon/nn/skip.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor SkipConcat::operator()(const Tensor& x, Context& context) {
  const Tensor y = body(x, context);
  Shape of_x = x.shape(), of_y = y.shape();
  if (!of_x.empty()) of_x.pop_back();
  if (!of_y.empty()) of_y.pop_back();
  require(x.rank() >= 2 && x.rank() == y.rank() && of_x == of_y && x.dtype() == y.dtype(),
          "SkipConcat: the body gives {} for {}: they cannot stand side by side in the last axis",
          y.type(), x.type());
  return concatenate(std::array{x, y}, -1);
}

}  // namespace tenon::nn

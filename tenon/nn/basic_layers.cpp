#include "tenon/nn/basic_layers.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Flatten::operator()(const Tensor& x, Context&) {
  require(x.rank() >= 1, "Flatten: expected input [batch, ...], got the scalar {}", x.type());
  return x.rank() == 1 ? expand_dims(x, 1) : flatten(x, 1);
}

Tensor Reshape::operator()(const Tensor& x, Context&) {
  require(x.rank() >= 1, "Reshape: expected input [batch, ...], got the scalar {}", x.type());
  Shape full{x.extent(0)};
  full.insert(full.end(), shape.begin(), shape.end());
  return reshape(x, full);
}

Tensor ActivationLayer::operator()(const Tensor& x, Context&) { return apply(activation, x); }

Tensor Dropout::operator()(const Tensor& x, Context& context) {
  require(rate >= 0 && rate < 1, "Dropout: rate must be in [0, 1), got {}", rate);
  if (!context.is_training() || rate == 0) return x;
  return dropout(x, rate, context.random_key());
}

}  // namespace tenon::nn

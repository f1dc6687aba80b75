#include "tenon/nn/dense.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Dense::operator()(const Tensor& x, Context& context) {
  require(units > 0, "Dense: units must be above 0, got {}", units);
  require(is_float(x.dtype()),
          "Dense: input must be float, got {}\n  help: cast it; scaling images to [0, 1] does",
          x.type());
  require(x.rank() >= 2, "Dense: expected input [batch, ..., features], got {}{}", x.type(),
          x.rank() == 1 ? "\n  help: the batch axis is missing; expand_dims(x, 0) adds one" : "");
  const std::int64_t width = x.extent(-1);
  if (kernel.is_defined())
    require(kernel.shape()[0] == width,
            "matmul: inner dimensions differ\n    kernel {} from \"{}\"\n  {} != {}\n  help: this "
            "layer was first built for inputs of width {}",
            kernel.type(), kernel.name(), width, kernel.shape()[0], kernel.shape()[0]);
  Tensor y = matmul(
      x, context.variable(kernel, "kernel", {x.dtype(), {width, units}}, kernel_initializer));
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {units}}, bias_initializer);
  return apply(activation, y);
}

}  // namespace tenon::nn

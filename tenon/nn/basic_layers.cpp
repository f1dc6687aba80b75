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

Tensor Permute::operator()(const Tensor& x, Context&) {
  Axes order{0};
  order.insert(order.end(), axes.begin(), axes.end());
  Axes sorted = order;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i)
    require(
        sorted.size() == x.shape().size() && sorted[i] == static_cast<std::int64_t>(i),
        "Permute: axes {} are not an order of the axes after the batch of {}\n  help: name each "
        "of 1 to {} once",
        tenon::to_string(axes), x.type(), x.rank() - 1);
  return transpose(x, order);
}

Tensor ActivationLayer::operator()(const Tensor& x, Context&) { return apply(activation, x); }

Tensor LeakyReLU::operator()(const Tensor& x, Context&) {
  require(std::isfinite(slope), "LeakyReLU: slope must be finite, got {}", slope);
  return tenon::leaky_relu(x, slope);
}

Tensor PReLU::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() >= 2,
          "PReLU: expected a float input [batch, ..., channels], got {}", x.type());
  const Tensor slope = context.variable(alpha, "alpha", {x.dtype(), {x.extent(-1)}}, initializer);
  return where(x > 0.0, x, slope * x);
}

Tensor Dropout::operator()(const Tensor& x, Context& context) {
  require(rate >= 0 && rate < 1, "Dropout: rate must be in [0, 1), got {}", rate);
  if (!context.is_training() || rate == 0) return x;
  return dropout(x, rate, context.random_key());
}

Tensor SpatialDropout::operator()(const Tensor& x, Context& context) {
  require(rate >= 0 && rate < 1, "SpatialDropout: rate must be in [0, 1), got {}", rate);
  require(is_float(x.dtype()) && x.rank() >= 3,
          "SpatialDropout: expected a float input [batch, ..., channels] of rank 3 or more, got "
          "{}\n  help: Dropout takes rows of features",
          x.type());
  if (!context.is_training() || rate == 0) return x;
  Shape channels(x.shape().size(), 1);
  channels.front() = x.extent(0);
  channels.back() = x.extent(-1);
  return x * dropout(tenon::ones(channels, x.dtype()), rate, context.random_key());
}

}  // namespace tenon::nn

#include "tenon/nn/normalization.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor BatchNorm::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() >= 2,
          "BatchNorm: expected a float input [batch, ..., channels], got {}", x.type());
  require_epsilon("BatchNorm", epsilon);
  const TensorType type{x.dtype(), {x.extent(-1)}};
  const Tensor scale_now = context.variable(scale, "scale", type, ones);
  const Tensor offset_now = context.variable(offset, "offset", type, zeros);
  const Tensor running_mean = context.variable(mean, "mean", type, zeros, VariableKind::statistic);
  const Tensor running_variance =
      context.variable(variance, "variance", type, ones, VariableKind::statistic);
  if (!context.is_training())
    return (x - running_mean) * (scale_now * rsqrt(running_variance + epsilon)) + offset_now;

  Axes axes;
  for (std::int64_t i = 0; i + 1 < x.rank(); ++i) axes.push_back(i);
  const double count =
      static_cast<double>(x.size()) / static_cast<double>(std::max<std::int64_t>(1, x.extent(-1)));
  const Tensor batch_mean = tenon::mean(x, axes);
  const Tensor centered = x - batch_mean;
  const Tensor batch_variance = tenon::mean(square(centered), axes);
  const double unbiased = count > 1 ? count / (count - 1) : 1;
  context.assign(mean, momentum * running_mean + (1 - momentum) * stop_gradient(batch_mean));
  context.assign(variance, momentum * running_variance +
                               ((1 - momentum) * unbiased) * stop_gradient(batch_variance));
  return centered * (scale_now * rsqrt(batch_variance + epsilon)) + offset_now;
}

Tensor LayerNorm::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() >= 1,
          "LayerNorm: expected a float input [..., features], got {}", x.type());
  require_epsilon("LayerNorm", epsilon);
  const TensorType type{x.dtype(), {x.extent(-1)}};
  // One after the other: the order of arguments is the compiler's choice.
  const Tensor scale_now = context.variable(scale, "scale", type, ones);
  const Tensor offset_now = context.variable(offset, "offset", type, zeros);
  return layer_norm(x, scale_now, offset_now, epsilon);
}

}  // namespace tenon::nn

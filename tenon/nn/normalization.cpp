#include "tenon/nn/normalization.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

// Mean 0 and variance 1 within each sample and group of channels.
Tensor normalized_by_group(const Tensor& x, std::int64_t groups, double epsilon) {
  const std::int64_t width = x.extent(-1) / groups;
  std::int64_t positions = 1;
  for (std::int64_t axis = 1; axis + 1 < x.rank(); ++axis) positions *= x.extent(axis);
  const Tensor grouped = reshape(x, {x.extent(0), positions, groups, width});
  const Tensor centered = grouped - mean(grouped, {1, 3}, true);
  const Tensor variance = mean(square(centered), {1, 3}, true);
  return reshape(centered * rsqrt(variance + epsilon), x.shape());
}

// The mean of squares of x - mean. The differences sum to zero but for the rounding of the mean,
// which its gradient makes good; that sum needs no pass of its own.
Tensor variance_about(const Tensor& x, const Tensor& mean, const Axes& axes, double count) {
  const auto value = [&](std::span<const Tensor> in) {
    return std::vector{tenon::mean(square(in[0] - in[1]), axes)};
  };
  const auto gradient = [&](std::span<const Tensor> in) {
    const Tensor difference = in[0] - in[1], slope = in[3] * (2 / count);
    return std::vector{difference * slope, -(sum(difference, axes) * slope)};
  };
  return custom_gradient(value, gradient, std::array{x, mean})[0];
}

// (x - mean) * gain + offset. Its gradient takes two sums over the elements, where that of the
// separate operations takes three and another pass.
Tensor scaled_about(const Tensor& x, const Tensor& mean, const Tensor& gain, const Tensor& offset,
                    const Axes& axes) {
  const auto value = [](std::span<const Tensor> in) {
    return std::vector{(in[0] - in[1]) * in[2] + in[3]};
  };
  const auto gradient = [&](std::span<const Tensor> in) {
    const Tensor& upstream = in[5];
    const Tensor total = sum(upstream, axes);
    return std::vector{upstream * in[2], -(total * in[2]), sum(upstream * (in[0] - in[1]), axes),
                       total};
  };
  return custom_gradient(value, gradient, std::array{x, mean, gain, offset})[0];
}

}  // namespace

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
  const Tensor batch_variance = variance_about(x, batch_mean, axes, std::max(count, 1.0));
  const double unbiased = count > 1 ? count / (count - 1) : 1;
  context.assign(mean, momentum * running_mean + (1 - momentum) * stop_gradient(batch_mean));
  context.assign(variance, momentum * running_variance +
                               ((1 - momentum) * unbiased) * stop_gradient(batch_variance));
  return scaled_about(x, batch_mean, scale_now * rsqrt(batch_variance + epsilon), offset_now, axes);
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

Tensor RMSNorm::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() >= 1,
          "RMSNorm: expected a float input [..., features], got {}", x.type());
  require_epsilon("RMSNorm", epsilon);
  return rms_norm(x, context.variable(scale, "scale", {x.dtype(), {x.extent(-1)}}, ones), epsilon);
}

Tensor GroupNorm::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() >= 2,
          "GroupNorm: expected a float input [batch, ..., channels], got {}", x.type());
  require(groups > 0 && x.extent(-1) % groups == 0,
          "GroupNorm: {} groups do not divide {} channels", groups, x.extent(-1));
  require_epsilon("GroupNorm", epsilon);
  const TensorType type{x.dtype(), {x.extent(-1)}};
  const Tensor scale_now = context.variable(scale, "scale", type, ones);
  const Tensor offset_now = context.variable(offset, "offset", type, zeros);
  return normalized_by_group(x, groups, epsilon) * scale_now + offset_now;
}

Tensor InstanceNorm::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() >= 3 && x.extent(-1) > 0,
          "InstanceNorm: expected a float input [batch, ..., channels] of rank 3 or more, got {}",
          x.type());
  require_epsilon("InstanceNorm", epsilon);
  const TensorType type{x.dtype(), {x.extent(-1)}};
  const Tensor scale_now = context.variable(scale, "scale", type, ones);
  const Tensor offset_now = context.variable(offset, "offset", type, zeros);
  return normalized_by_group(x, x.extent(-1), epsilon) * scale_now + offset_now;
}

}  // namespace tenon::nn

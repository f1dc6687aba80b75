#include "tenon/nn/convolution.h"

#include "tenon/nn/convolution_checks.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr std::int64_t kLargestDilation = 1 << 20;
constexpr std::int64_t kLargestMultiplier = 1 << 20;

// Of a depthwise convolution.
std::int64_t results_of(std::int64_t channels, std::int64_t multiplier, std::string_view layer) {
  require(multiplier > 0 && multiplier <= kLargestMultiplier && channels > 0,
          "{}: needs channels and a multiplier from 1 to {}, got {} channels and multiplier {}",
          layer, kLargestMultiplier, channels, multiplier);
  return channels * multiplier;
}

}  // namespace

Tensor Conv2D::operator()(const Tensor& x, Context& context) {
  require_positive(filters, "Conv2D", "filters");
  require_image(x, "Conv2D");
  require_groups(groups, x.extent(-1), filters, "Conv2D");
  const std::array<std::int64_t, 2> window = both_axes(size, "Conv2D", "size");
  const TensorType type{x.dtype(), {window[0], window[1], x.extent(-1) / groups, filters}};
  const ConvolutionOptions options{both_axes(strides, "Conv2D", "strides"),
                                   same_padding ? Padding::same : Padding::valid,
                                   both_axes(dilation, "Conv2D", "dilation"), groups};
  Tensor y =
      tenon::convolution(x, context.variable(kernel, "kernel", type, kernel_initializer), options);
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {filters}}, bias_initializer);
  return apply(activation, y);
}

Tensor Conv1D::operator()(const Tensor& x, Context& context) {
  for (const auto& [value, what] : {std::pair(filters, "filters"), std::pair(size, "size"),
                                    std::pair(stride, "stride"), std::pair(dilation, "dilation")})
    require_positive(value, "Conv1D", what);
  require_sequence(x, "Conv1D");
  require_groups(groups, x.extent(-1), filters, "Conv1D");
  require(!causal_padding || !same_padding, "Conv1D: causal and same padding exclude each other");
  const Tensor kernel_now = context.variable(
      kernel, "kernel", {x.dtype(), {size, x.extent(-1) / groups, filters}}, kernel_initializer);
  Tensor sequence = x;
  if (causal_padding) {
    require(dilation <= kLargestDilation, "Conv1D: dilation must be at most {}, got {}",
            kLargestDilation, dilation);
    sequence = pad(x, {0, (size - 1) * dilation, 0}, {0, 0, 0});
  }
  // Images of one row.
  Tensor y = tenon::convolution(
      expand_dims(sequence, 1), expand_dims(kernel_now, 0),
      {{1, stride}, same_padding ? Padding::same : Padding::valid, {1, dilation}, groups});
  y = squeeze(y, {1});
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {filters}}, bias_initializer);
  return apply(activation, y);
}

Tensor DepthwiseConv2D::operator()(const Tensor& x, Context& context) {
  require_image(x, "DepthwiseConv2D");
  const std::int64_t channels = x.extent(-1),
                     results = results_of(channels, multiplier, "DepthwiseConv2D");
  const std::array<std::int64_t, 2> window = both_axes(size, "DepthwiseConv2D", "size");
  const TensorType type{x.dtype(), {window[0], window[1], 1, results}};
  const ConvolutionOptions options{both_axes(strides, "DepthwiseConv2D", "strides"),
                                   same_padding ? Padding::same : Padding::valid,
                                   both_axes(dilation, "DepthwiseConv2D", "dilation"), channels};
  Tensor y =
      tenon::convolution(x, context.variable(kernel, "kernel", type, kernel_initializer), options);
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {results}}, bias_initializer);
  return apply(activation, y);
}

Tensor SeparableConv2D::operator()(const Tensor& x, Context& context) {
  require_positive(filters, "SeparableConv2D", "filters");
  require_image(x, "SeparableConv2D");
  const std::int64_t channels = x.extent(-1),
                     middle = results_of(channels, multiplier, "SeparableConv2D");
  const std::array<std::int64_t, 2> window = both_axes(size, "SeparableConv2D", "size");
  const ConvolutionOptions options{both_axes(strides, "SeparableConv2D", "strides"),
                                   same_padding ? Padding::same : Padding::valid,
                                   both_axes(dilation, "SeparableConv2D", "dilation"), channels};
  const Tensor depthwise =
      context.variable(depthwise_kernel, "depthwise_kernel",
                       {x.dtype(), {window[0], window[1], 1, middle}}, kernel_initializer);
  const Tensor pointwise =
      context.variable(pointwise_kernel, "pointwise_kernel", {x.dtype(), {1, 1, middle, filters}},
                       kernel_initializer);
  Tensor y = tenon::convolution(tenon::convolution(x, depthwise, options), pointwise);
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {filters}}, bias_initializer);
  return apply(activation, y);
}

}  // namespace tenon::nn

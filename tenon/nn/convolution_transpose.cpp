#include "tenon/nn/convolution_transpose.h"

#include "tenon/nn/convolution_checks.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Conv2DTranspose::operator()(const Tensor& x, Context& context) {
  require_positive(filters, "Conv2DTranspose", "filters");
  require_image(x, "Conv2DTranspose");
  require_groups(groups, x.extent(-1), filters, "Conv2DTranspose");
  const std::array<std::int64_t, 2> window = both_axes(size, "Conv2DTranspose", "size");
  const TensorType type{x.dtype(), {window[0], window[1], x.extent(-1) / groups, filters}};
  const ConvolutionOptions options{both_axes(strides, "Conv2DTranspose", "strides"),
                                   same_padding ? Padding::same : Padding::valid,
                                   both_axes(dilation, "Conv2DTranspose", "dilation"), groups};
  Tensor y = transposed_convolution(x, context.variable(kernel, "kernel", type, kernel_initializer),
                                    options);
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {filters}}, bias_initializer);
  return apply(activation, y);
}

Tensor Conv1DTranspose::operator()(const Tensor& x, Context& context) {
  for (const auto& [value, what] : {std::pair(filters, "filters"), std::pair(size, "size"),
                                    std::pair(stride, "stride"), std::pair(dilation, "dilation")})
    require_positive(value, "Conv1DTranspose", what);
  require_sequence(x, "Conv1DTranspose");
  require_groups(groups, x.extent(-1), filters, "Conv1DTranspose");
  const Tensor kernel_now = context.variable(
      kernel, "kernel", {x.dtype(), {size, x.extent(-1) / groups, filters}}, kernel_initializer);
  // Images of one row.
  Tensor y = transposed_convolution(
      expand_dims(x, 1), expand_dims(kernel_now, 0),
      {{1, stride}, same_padding ? Padding::same : Padding::valid, {1, dilation}, groups});
  y = squeeze(y, {1});
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {filters}}, bias_initializer);
  return apply(activation, y);
}

}  // namespace tenon::nn

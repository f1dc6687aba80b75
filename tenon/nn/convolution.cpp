#include "tenon/nn/convolution.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

namespace {

std::array<std::int64_t, 2> both_axes(const std::vector<std::int64_t>& values,
                                      std::string_view what) {
  require(values.size() == 1 || values.size() == 2, "Conv2D: {} takes one or two numbers, got {}",
          what, values.size());
  for (const std::int64_t value : values)
    require(value > 0, "Conv2D: {} must be above 0, got {}", what, value);
  return {values.front(), values.back()};
}

}  // namespace

Tensor Conv2D::operator()(const Tensor& x, Context& context) {
  require(filters > 0, "Conv2D: filters must be above 0, got {}", filters);
  require(is_float(x.dtype()),
          "Conv2D: input must be float, got {}\n  help: cast it; scaling images to [0, 1] does",
          x.type());
  require(
      x.rank() == 4, "Conv2D: expected input [batch, height, width, channels], got {}{}", x.type(),
      x.rank() == 3
          ? fmt::format("\n  help: put nn::Reshape{{{{{}, {}, 1}}}} first to give grey images a "
                        "channel axis; expand_dims(x, 0) adds a batch axis",
                        x.extent(1), x.extent(2))
          : "");
  require(groups > 0 && x.extent(-1) % groups == 0 && filters % groups == 0,
          "Conv2D: {} groups do not divide {} input channels and {} filters", groups, x.extent(-1),
          filters);
  const std::array<std::int64_t, 2> window = both_axes(size, "size");
  const TensorType type{x.dtype(), {window[0], window[1], x.extent(-1) / groups, filters}};
  const ConvolutionOptions options{both_axes(strides, "strides"),
                                   same_padding ? Padding::same : Padding::valid,
                                   both_axes(dilation, "dilation"), groups};
  Tensor y =
      tenon::convolution(x, context.variable(kernel, "kernel", type, kernel_initializer), options);
  if (use_bias) y = y + context.variable(bias, "bias", {x.dtype(), {filters}}, bias_initializer);
  return apply(activation, y);
}

}  // namespace tenon::nn

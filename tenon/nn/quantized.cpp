#include "tenon/nn/quantized.h"

#include "tenon/nn/convolution_checks.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr VariableKind kFixed = VariableKind::statistic;

void require_terms(std::int64_t terms, std::string_view layer) {
  require(terms <= kMostQuantizedTerms,
          "{}: sums of {} products do not fit 32 bits; at most {} do\n  help: leave this layer in "
          "floats",
          layer, terms, kMostQuantizedTerms);
}

// q - z, as i32.
Tensor quantized_input(const Tensor& x, const Tensor& scale, const Tensor& zero_point) {
  const Tensor zero = cast(zero_point, x.dtype());
  return cast(clip(round(x / scale) + zero, -128, 127) - zero, DType::i32);
}

// What both layers hold beside the kernel's shape and the activation.
template <class Quantized>
struct QuantizedParts {
  QuantizedParts(Quantized& layer, const Tensor& x, const TensorType& kernel_type, Context& context)
      : kernel(
            cast(context.variable(layer.kernel, "kernel", kernel_type, zeros, kFixed), DType::i32)),
        kernel_scale(context.variable(layer.kernel_scale, "kernel_scale",
                                      {x.dtype(), {kernel_type.shape.back()}}, ones, kFixed)) {
    if (layer.use_bias)
      bias = context.variable(layer.bias, "bias", {x.dtype(), {kernel_type.shape.back()}}, zeros,
                              kFixed);
    scale = context.variable(layer.input_scale, "input_scale", {x.dtype(), {}}, ones, kFixed);
    const Tensor zero_point = context.variable(layer.input_zero_point, "input_zero_point",
                                               {DType::i32, {}}, zeros, kFixed);
    input = quantized_input(x, scale, zero_point);
  }
  // sums: i32[..., channels].
  Tensor output(const Tensor& sums, Activation activation) const {
    Tensor y = cast(sums, scale.dtype()) * (scale * kernel_scale);
    if (!bias.is_empty()) y = y + bias;
    return apply(activation, y);
  }
  Tensor kernel, kernel_scale, bias, scale, input;
};

}  // namespace

Tensor QuantizedDense::operator()(const Tensor& x, Context& context) {
  require_positive(units, "QuantizedDense", "units");
  require(is_float(x.dtype()) && x.rank() >= 2,
          "QuantizedDense: expected a float input [batch, ..., features], got {}", x.type());
  require_terms(x.extent(-1), "QuantizedDense");
  const QuantizedParts parts(*this, x, {DType::i8, {x.extent(-1), units}}, context);
  return parts.output(matmul(parts.input, parts.kernel), activation);
}

Tensor QuantizedConv2D::operator()(const Tensor& x, Context& context) {
  constexpr std::string_view kName = "QuantizedConv2D";
  require_positive(filters, kName, "filters");
  require_image(x, kName);
  require_groups(groups, x.extent(-1), filters, kName);
  const std::array<std::int64_t, 2> window = both_axes(size, kName, "size");
  const TensorType type{DType::i8, {window[0], window[1], x.extent(-1) / groups, filters}};
  require_terms(element_count(type.shape) / filters, kName);
  const QuantizedParts parts(*this, x, type, context);
  const ConvolutionOptions options{both_axes(strides, kName, "strides"),
                                   same_padding ? Padding::same : Padding::valid,
                                   both_axes(dilation, kName, "dilation"), groups};
  return parts.output(tenon::convolution(parts.input, parts.kernel, options), activation);
}

}  // namespace tenon::nn

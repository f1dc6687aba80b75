// Layers with weights of 8 bits that compute in integers: what tenon::quantize makes of others.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// Inputs are rounded to q = clip(round(x / s) + z, -128, 127) with one scale s and zero point z for
// all, weights are q_w in [-127, 127] with a scale for each output channel, and
//   y = activation(sum((q - z) q_w) * s * s_w + bias),
// where the sum is exact, in i32: Jacob et al. 2018, equations 1 to 4. None of it is trained.

// x [..., in] -> [..., units]. kernel i8[in, units], kernel_scale and bias [units], input_scale [],
// input_zero_point i32[].
struct QuantizedDense {
  static constexpr std::string_view kKind = "quantized_dense";
  std::int64_t units = 1;
  Activation activation = Activation::linear;
  bool use_bias = true;
  Variable kernel{};
  Variable kernel_scale{};
  Variable bias{};
  Variable input_scale{};
  Variable input_zero_point{};

  // UserError for an integer or boolean x, one of rank below 2, and more than kMostQuantizedTerms
  // inputs.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("units", units);
    visit("activation", activation);
    visit("use_bias", use_bias);
    visit("kernel", kernel);
    visit("kernel_scale", kernel_scale);
    visit("bias", bias);
    visit("input_scale", input_scale);
    visit("input_zero_point", input_zero_point);
  }
};

// x [batch, height, width, in] -> [batch, height', width', filters]. kernel i8[height, width,
// in / groups, filters], kernel_scale and bias [filters], the others as above. Padding is the zero
// point, which stands for 0 exactly.
struct QuantizedConv2D {
  static constexpr std::string_view kKind = "quantized_conv2d";
  std::int64_t filters = 1;
  std::vector<std::int64_t> size{3, 3};  // one number serves both axes
  Activation activation = Activation::linear;
  std::vector<std::int64_t> strides{1, 1};
  bool same_padding = false;
  std::vector<std::int64_t> dilation{1, 1};
  std::int64_t groups = 1;
  bool use_bias = true;
  Variable kernel{};
  Variable kernel_scale{};
  Variable bias{};
  Variable input_scale{};
  Variable input_zero_point{};

  // UserError unless x is a float of rank 4 whose channels divide into the groups, and for more
  // than kMostQuantizedTerms products in a sum.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("filters", filters);
    visit("size", size);
    visit("activation", activation);
    visit("strides", strides);
    visit("same_padding", same_padding);
    visit("dilation", dilation);
    visit("groups", groups);
    visit("use_bias", use_bias);
    visit("kernel", kernel);
    visit("kernel_scale", kernel_scale);
    visit("bias", bias);
    visit("input_scale", input_scale);
    visit("input_zero_point", input_zero_point);
  }
};

// So many products of up to 255 * 127 fit an i32.
inline constexpr std::int64_t kMostQuantizedTerms = 2147483647 / (255 * 127);

}  // namespace tenon::nn

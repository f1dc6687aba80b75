// Convolution layers on channels-last images and sequences.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// activation(x * kernel + bias): x [batch, height, width, in] -> [batch, height', width', filters].
// kernel [height, width, in / groups, filters], bias [filters].
struct Conv2D {
  static constexpr std::string_view kKind = "conv2d";
  static constexpr bool kMixesSteps = true;
  std::int64_t filters = 1;
  std::vector<std::int64_t> size{3, 3};  // one number serves both axes
  Activation activation = Activation::linear;
  std::vector<std::int64_t> strides{1, 1};
  bool same_padding = false;  // else only positions wholly inside the image
  std::vector<std::int64_t> dilation{1, 1};
  std::int64_t groups = 1;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;
  Variable kernel{};
  Variable bias{};

  // UserError unless x is a float of rank 4 whose channels divide into the groups.
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
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("bias", bias);
  }
};

// activation(x * kernel + bias): x [batch, length, in] -> [batch, length', filters].
// kernel [size, in / groups, filters], bias [filters].
struct Conv1D {
  static constexpr std::string_view kKind = "conv1d";
  static constexpr bool kMixesSteps = true;
  std::int64_t filters = 1;
  std::int64_t size = 3;
  Activation activation = Activation::linear;
  std::int64_t stride = 1;
  bool same_padding = false;
  bool causal_padding =
      false;  // pads the front alone: no output sees later steps; van den Oord 2016
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;
  Variable kernel{};
  Variable bias{};

  // UserError unless x is a float of rank 3 whose channels divide into the groups.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("filters", filters);
    visit("size", size);
    visit("activation", activation);
    visit("stride", stride);
    visit("same_padding", same_padding);
    visit("causal_padding", causal_padding);
    visit("dilation", dilation);
    visit("groups", groups);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("bias", bias);
  }
};

// Each channel convolved on its own, with `multiplier` results: x [batch, height, width, in]
// -> [batch, height', width', in * multiplier]. kernel [height, width, 1, in * multiplier] as that
// of Conv2D with one group for each channel, bias [in * multiplier].
struct DepthwiseConv2D {
  static constexpr std::string_view kKind = "depthwise_conv2d";
  static constexpr bool kMixesSteps = true;
  std::int64_t multiplier = 1;
  std::vector<std::int64_t> size{3, 3};  // one number serves both axes
  Activation activation = Activation::linear;
  std::vector<std::int64_t> strides{1, 1};
  bool same_padding = false;
  std::vector<std::int64_t> dilation{1, 1};
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;
  Variable kernel{};
  Variable bias{};

  // UserError unless x is a float of rank 4.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("multiplier", multiplier);
    visit("size", size);
    visit("activation", activation);
    visit("strides", strides);
    visit("same_padding", same_padding);
    visit("dilation", dilation);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("bias", bias);
  }
};

// A depthwise convolution, then a mix of its channels: x [batch, height, width, in]
// -> [batch, height', width', filters]. depthwise_kernel [height, width, 1, in * multiplier],
// pointwise_kernel [1, 1, in * multiplier, filters], bias [filters]. Chollet 2017.
struct SeparableConv2D {
  static constexpr std::string_view kKind = "separable_conv2d";
  static constexpr bool kMixesSteps = true;
  std::int64_t filters = 1;
  std::vector<std::int64_t> size{3, 3};  // one number serves both axes
  Activation activation = Activation::linear;
  std::vector<std::int64_t> strides{1, 1};
  bool same_padding = false;
  std::vector<std::int64_t> dilation{1, 1};
  std::int64_t multiplier = 1;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;
  Variable depthwise_kernel{};
  Variable pointwise_kernel{};
  Variable bias{};

  // UserError unless x is a float of rank 4.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("filters", filters);
    visit("size", size);
    visit("activation", activation);
    visit("strides", strides);
    visit("same_padding", same_padding);
    visit("dilation", dilation);
    visit("multiplier", multiplier);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("depthwise_kernel", depthwise_kernel);
    visit("pointwise_kernel", pointwise_kernel);
    visit("bias", bias);
  }
};

}  // namespace tenon::nn

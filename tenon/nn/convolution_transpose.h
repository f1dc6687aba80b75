// Transposed convolutions ("deconvolutions") on channels-last images and sequences.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// The gradient of a convolution as a layer: strides multiply the extents (see
// tenon::transposed_convolution). x [batch, height, width, in] -> [batch, height', width',
// filters]. kernel [height, width, in / groups, filters], bias [filters]. Dumoulin, Visin 2016.
struct Conv2DTranspose {
  static constexpr std::string_view kKind = "conv2d_transpose";
  static constexpr bool kMixesSteps = true;
  std::int64_t filters = 1;
  std::vector<std::int64_t> size{3, 3};  // one number serves both axes
  Activation activation = Activation::linear;
  std::vector<std::int64_t> strides{1, 1};
  bool same_padding = false;
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

// Conv2DTranspose on sequences: x [batch, length, in] -> [batch, length', filters].
// kernel [size, in / groups, filters], bias [filters].
struct Conv1DTranspose {
  static constexpr std::string_view kKind = "conv1d_transpose";
  static constexpr bool kMixesSteps = true;
  std::int64_t filters = 1;
  std::int64_t size = 3;
  Activation activation = Activation::linear;
  std::int64_t stride = 1;
  bool same_padding = false;
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
    visit("dilation", dilation);
    visit("groups", groups);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("bias", bias);
  }
};

}  // namespace tenon::nn

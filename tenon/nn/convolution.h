// Convolution layers on channels-last images.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// activation(x * kernel + bias): x [batch, height, width, in] -> [batch, height', width', filters].
// kernel [height, width, in / groups, filters], bias [filters].
struct Conv2D {
  static constexpr std::string_view kKind = "conv2d";
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

}  // namespace tenon::nn

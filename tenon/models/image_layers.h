// What the networks for images share: the shape of a sample, convolutions with batch norm.
#pragma once
#include <string_view>

#include "tenon/nn/convolution.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

struct ImageShape {
  std::int64_t height = 0, width = 0, channels = 1;
};

// Of samples [height, width] or [height, width, channels]. UserError, naming the model, for others
// and for extents of 0.
ImageShape image_shape_of(const Shape& sample, std::string_view model);
// An empty model, or one that gives grey images [height, width] their channel axis.
nn::Sequential begin_image_model(const Shape& sample, std::string_view model);

// A convolution without bias, batch norm and an activation. The window is odd and padded by half
// of it on both sides, as PyTorch pads it, so that weights of torchvision's networks fit.
struct ConvNorm {
  std::int64_t filters = 1;
  std::int64_t size = 3;
  std::int64_t stride = 1;
  nn::Activation activation = nn::relu;
  bool depthwise = false;  // each channel on its own; `filters` says nothing then
};
void add_conv_norm(nn::Sequential& model, const ConvNorm& options);

}  // namespace tenon::models

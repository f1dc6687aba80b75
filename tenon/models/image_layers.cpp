#include "tenon/models/image_layers.h"

#include <algorithm>

#include "tenon/nn/basic_layers.h"
#include "tenon/nn/image_shapes.h"
#include "tenon/nn/normalization.h"

namespace tenon::models {

ImageShape image_shape_of(const Shape& sample, std::string_view model) {
  const bool is_image = (sample.size() == 2 || sample.size() == 3) &&
                        std::ranges::all_of(sample, [](std::int64_t n) { return n > 0; });
  require(is_image,
          "{}: images of shape [height, width] or [height, width, channels] expected, got {}",
          model, to_string(sample));
  return {sample[0], sample[1], sample.size() == 3 ? sample[2] : 1};
}

nn::Sequential begin_image_model(const Shape& sample, std::string_view model) {
  const ImageShape image = image_shape_of(sample, model);
  nn::Sequential layers;
  if (sample.size() == 2) layers.add(nn::Reshape{{image.height, image.width, 1}});
  return layers;
}

void add_conv_norm(nn::Sequential& model, const ConvNorm& options) {
  const std::int64_t margin = options.size / 2;
  const bool same = options.stride == 1 && margin > 0;  // then both ways of padding are one
  if (!same && margin > 0) model.add(nn::ZeroPad2D{{margin}, {margin}});
  if (options.depthwise)
    model.add(nn::DepthwiseConv2D{.size = {options.size},
                                  .strides = {options.stride},
                                  .same_padding = same,
                                  .use_bias = false,
                                  .kernel_initializer = nn::he_normal});
  else
    model.add(nn::Conv2D{.filters = options.filters,
                         .size = {options.size},
                         .strides = {options.stride},
                         .same_padding = same,
                         .use_bias = false,
                         .kernel_initializer = nn::he_normal});
  model.add(nn::BatchNorm{});
  if (options.activation != nn::linear) model.add(nn::ActivationLayer{options.activation});
}

}  // namespace tenon::models

#include "tenon/models/unet.h"

#include "tenon/models/image_layers.h"
#include "tenon/nn/convolution_transpose.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/skip.h"

namespace tenon::models {
namespace {

void add_two_convolutions(nn::Sequential& model, std::int64_t filters, nn::Activation activation) {
  for (int i = 0; i < 2; ++i) add_conv_norm(model, {.filters = filters, .activation = activation});
}

// A level and all inside it.
void add_level(nn::Sequential& model, std::int64_t filters, std::int64_t levels_inside,
               nn::Activation activation) {
  add_two_convolutions(model, filters, activation);
  if (levels_inside == 0) return;
  nn::Sequential inside{nn::MaxPool2D{}};
  add_level(inside, 2 * filters, levels_inside - 1, activation);
  inside.add(nn::Conv2DTranspose{.filters = filters, .size = {2, 2}, .strides = {2, 2}});
  model.add(nn::SkipConcat{inside});
  add_two_convolutions(model, filters, activation);
}

}  // namespace

nn::Sequential unet(std::int64_t outputs, const UnetOptions& options) {
  constexpr std::int64_t kDeepest = 10, kWidest = 1 << 12;
  require(outputs > 0, "unet: outputs must be above 0, got {}", outputs);
  require(options.width > 0 && options.width <= kWidest && options.depth >= 0 &&
              options.depth <= kDeepest,
          "unet: width must be from 1 to {} and depth from 0 to {}, got {} and {}", kWidest,
          kDeepest, options.width, options.depth);
  const ImageShape image = image_shape_of(options.image, "unet");
  const std::int64_t step = std::int64_t{1} << options.depth;
  require(image.height % step == 0 && image.width % step == 0,
          "unet: the sides of {} are not multiples of {}, as depth {} needs; choose a smaller "
          "depth, or another size of the images",
          to_string(options.image), step, options.depth);
  nn::Sequential model = begin_image_model(options.image, "unet");
  add_level(model, options.width, options.depth, options.activation);
  model.add(nn::Conv2D{.filters = outputs, .size = {1, 1}});
  return model;
}

}  // namespace tenon::models

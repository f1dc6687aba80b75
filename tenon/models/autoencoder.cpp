#include "tenon/models/autoencoder.h"

#include "tenon/models/image_layers.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/convolution_transpose.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/variational.h"

namespace tenon::models {
namespace {

// How many numbers a sample has, which the last layer gives back.
std::int64_t numbers_of(const Shape& sample, std::string_view model) {
  constexpr std::int64_t kMost = 1 << 24;
  const std::int64_t count = element_count(sample);
  require(count > 0 && count <= kMost, "{}: samples of 1 to {} numbers expected, got {}", model,
          kMost, to_string(sample));
  return count;
}

void require_widths(const std::vector<std::int64_t>& widths, std::int64_t code,
                    std::string_view model) {
  for (const std::int64_t width : widths)
    require(width > 0, "{}: hidden widths must be above 0, got {}", model, width);
  require(code > 0 && code <= 1 << 24, "{}: the code must have from 1 to {} numbers, got {}", model,
          1 << 24, code);
}

// The hidden layers again in the other order, and all numbers of the sample.
void add_decoder(nn::Sequential& model, const std::vector<std::int64_t>& hidden,
                 nn::Activation activation, const Shape& sample, std::int64_t count) {
  for (auto width = hidden.rbegin(); width != hidden.rend(); ++width)
    model.add(nn::Dense{*width, activation});
  model.add(nn::Dense{count});
  model.add(nn::Reshape{sample});
}

}  // namespace

nn::Sequential autoencoder(const Shape& sample, const AutoencoderOptions& options) {
  const std::int64_t count = numbers_of(sample, "autoencoder");
  require_widths(options.hidden, options.code, "autoencoder");
  nn::Sequential model{nn::Flatten{}};
  for (const std::int64_t width : options.hidden) model.add(nn::Dense{width, options.activation});
  model.add(nn::Dense{options.code});
  add_decoder(model, options.hidden, options.activation, sample, count);
  return model;
}

nn::Sequential conv_autoencoder(const Shape& image, const ConvAutoencoderOptions& options) {
  const ImageShape shape = image_shape_of(image, "conv-autoencoder");
  constexpr std::size_t kMostLayers = 16;
  require(!options.filters.empty() && options.filters.size() <= kMostLayers,
          "conv-autoencoder: 1 to {} numbers of filters expected, got {}", kMostLayers,
          options.filters.size());
  for (const std::int64_t filters : options.filters)
    require(filters > 0, "conv-autoencoder: filters must be above 0, got {}", filters);
  const std::int64_t step = std::int64_t{1} << options.filters.size();
  require(shape.height % step == 0 && shape.width % step == 0,
          "conv-autoencoder: the sides of {} are not multiples of {}, as {} layers of stride 2 "
          "need",
          to_string(image), step, options.filters.size());
  nn::Sequential model = begin_image_model(image, "conv-autoencoder");
  for (const std::int64_t filters : options.filters)
    model.add(nn::Conv2D{.filters = filters,
                         .size = {3, 3},
                         .activation = options.activation,
                         .strides = {2, 2},
                         .same_padding = true});
  for (std::size_t i = options.filters.size(); i-- > 0;) {
    const bool is_last = i == 0;
    model.add(nn::Conv2DTranspose{.filters = is_last ? shape.channels : options.filters[i - 1],
                                  .size = {3, 3},
                                  .activation = is_last ? nn::linear : options.activation,
                                  .strides = {2, 2},
                                  .same_padding = true});
  }
  if (image.size() == 2) model.add(nn::Reshape{image});
  return model;
}

nn::Sequential vae(const Shape& sample, const VaeOptions& options) {
  const std::int64_t count = numbers_of(sample, "vae");
  require_widths(options.hidden, options.code, "vae");
  nn::Sequential model{nn::Flatten{}};
  for (const std::int64_t width : options.hidden) model.add(nn::Dense{width, options.activation});
  model.add(nn::Dense{2 * options.code});
  model.add(nn::Variational{options.beta / static_cast<double>(count), options.noise});
  add_decoder(model, options.hidden, options.activation, sample, count);
  return model;
}

}  // namespace tenon::models

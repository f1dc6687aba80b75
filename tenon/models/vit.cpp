#include "tenon/models/vit.h"

#include "tenon/models/image_layers.h"
#include "tenon/nn/attention.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/normalization.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/residual.h"
#include "tenon/nn/sequence_steps.h"

namespace tenon::models {
namespace {

constexpr double kVitEpsilon = 1e-6;
const nn::Initializer kVitInitializer{nn::InitializerKind::truncated_normal, 0.02};

void add_block(nn::Sequential& model, const VitOptions& options) {
  const std::int64_t hidden = options.hidden > 0 ? options.hidden : 4 * options.width;
  nn::Sequential attention{
      nn::LayerNorm{kVitEpsilon},
      nn::MultiHeadAttention{.heads = options.heads, .kernel_initializer = kVitInitializer}};
  nn::Sequential dense{
      nn::LayerNorm{kVitEpsilon},
      nn::Dense{.units = hidden, .activation = nn::gelu, .kernel_initializer = kVitInitializer},
      nn::Dense{.units = options.width, .kernel_initializer = kVitInitializer}};
  for (nn::Sequential* part : {&attention, &dense}) {
    if (options.dropout > 0) part->add(nn::Dropout{options.dropout});
    model.add(nn::Residual{.body = *part});
  }
}

}  // namespace

nn::Sequential vit(std::int64_t classes, const VitOptions& options) {
  constexpr std::int64_t kWidest = 1 << 16, kMostLayers = 1000;
  require(classes > 0, "vit: classes must be above 0, got {}", classes);
  require(options.width > 0 && options.width <= kWidest && options.layers >= 0 &&
              options.layers <= kMostLayers && options.hidden >= 0 && options.hidden <= kWidest * 4,
          "vit: width must be from 1 to {}, hidden from 0 and layers from 0 to {}, got {}, {} and "
          "{}",
          kWidest, kMostLayers, options.width, options.hidden, options.layers);
  require(options.heads > 0 && options.width % options.heads == 0,
          "vit: {} heads do not divide a width of {}", options.heads, options.width);
  const ImageShape image = image_shape_of(options.image, "vit");
  require(
      options.patch > 0 && image.height % options.patch == 0 && image.width % options.patch == 0,
      "vit: patches of {} pixels do not fill images of {}; choose another by vit:patch=N",
      options.patch, to_string(options.image));
  const std::int64_t patches = (image.height / options.patch) * (image.width / options.patch);

  nn::Sequential model = begin_image_model(options.image, "vit");
  model.add(nn::Conv2D{.filters = options.width,
                       .size = {options.patch},
                       .strides = {options.patch},
                       .kernel_initializer = kVitInitializer});
  model.add(nn::Reshape{{patches, options.width}});
  if (options.class_token) model.add(nn::ClassToken{});
  model.add(nn::LearnedPositions{.length = patches + (options.class_token ? 1 : 0)});
  for (std::int64_t i = 0; i < options.layers; ++i) add_block(model, options);
  model.add(nn::LayerNorm{kVitEpsilon});
  if (options.class_token)
    model.add(nn::SelectStep{0});
  else
    model.add(nn::GlobalAvgPool1D{});
  model.add(nn::Dense{.units = classes, .kernel_initializer = kVitInitializer});
  return model;
}

}  // namespace tenon::models

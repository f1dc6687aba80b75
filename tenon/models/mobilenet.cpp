#include "tenon/models/mobilenet.h"

#include "tenon/models/image_layers.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/residual.h"

namespace tenon::models {
namespace {

struct MobileStage {
  std::int64_t expansion, channels, blocks, stride;
};
constexpr std::array kMobileStages = {MobileStage{1, 16, 1, 1}, MobileStage{6, 24, 2, 2},
                                      MobileStage{6, 32, 3, 2}, MobileStage{6, 64, 4, 2},
                                      MobileStage{6, 96, 3, 1}, MobileStage{6, 160, 3, 2},
                                      MobileStage{6, 320, 1, 1}};

// The nearest multiple of 8 that is not more than a tenth below.
std::int64_t rounded_channels(double channels) {
  constexpr std::int64_t kStep = 8;
  const std::int64_t nearest =
      std::max(kStep, static_cast<std::int64_t>(channels + kStep / 2.0) / kStep * kStep);
  return static_cast<double>(nearest) < 0.9 * channels ? nearest + kStep : nearest;
}

nn::Layer inverted_residual(std::int64_t in, std::int64_t out, std::int64_t expansion,
                            std::int64_t stride) {
  nn::Sequential body;
  if (expansion != 1)
    add_conv_norm(body, {.filters = in * expansion, .size = 1, .activation = nn::relu6});
  add_conv_norm(body, {.stride = stride, .activation = nn::relu6, .depthwise = true});
  add_conv_norm(body, {.filters = out, .size = 1, .activation = nn::linear});
  if (stride == 1 && in == out) return nn::Residual{.body = body};
  return body;
}

}  // namespace

nn::Sequential mobilenet_v2(std::int64_t classes, const MobilenetOptions& options) {
  require(classes > 0, "mobilenet-v2: classes must be above 0, got {}", classes);
  require(options.width > 0 && options.width <= 64,
          "mobilenet-v2: width must be above 0 and at most 64, got {}", options.width);
  const auto stages = static_cast<std::int64_t>(kMobileStages.size());
  require(options.stages >= 1 && options.stages <= stages && options.blocks >= 1,
          "mobilenet-v2: stages must be from 1 to {} and blocks above 0, got {} and {}", stages,
          options.stages, options.blocks);
  nn::Sequential model = begin_image_model(options.image, "mobilenet-v2");
  std::int64_t channels = rounded_channels(32 * options.width);
  add_conv_norm(
      model,
      {.filters = channels, .stride = options.small_images ? 1 : 2, .activation = nn::relu6});
  for (std::int64_t s = 0; s < options.stages; ++s) {
    const MobileStage& stage = kMobileStages[static_cast<std::size_t>(s)];
    const std::int64_t out = rounded_channels(static_cast<double>(stage.channels) * options.width);
    for (std::int64_t i = 0; i < std::min(stage.blocks, options.blocks); ++i) {
      const bool halves = i == 0 && stage.stride == 2 && !(options.small_images && s == 1);
      model.add(inverted_residual(channels, out, stage.expansion, halves ? 2 : 1));
      channels = out;
    }
  }
  add_conv_norm(model, {.filters = rounded_channels(1280 * std::max(1.0, options.width)),
                        .size = 1,
                        .activation = nn::relu6});
  model.add(nn::GlobalAvgPool2D{});
  if (options.dropout > 0) model.add(nn::Dropout{options.dropout});
  model.add(nn::Dense{classes});
  return model;
}

}  // namespace tenon::models

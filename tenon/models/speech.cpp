#include "tenon/models/speech.h"

#include <bit>
#include <cmath>

#include "tenon/models/image_layers.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/log_mel.h"
#include "tenon/nn/normalization.h"
#include "tenon/nn/pooling.h"

namespace tenon::models {

nn::Sequential speech_commands(std::int64_t classes, const SpeechOptions& options) {
  constexpr std::int64_t kWidest = 1 << 16, kMostBlocks = 1000;
  constexpr double kLeastRate = 400, kMostRate = 1 << 20;
  require(classes > 0, "speech-commands: classes must be above 0, got {}", classes);
  require(
      options.filters > 0 && options.filters <= kWidest && options.blocks >= 0 &&
          options.blocks <= kMostBlocks && options.bands > 0 && options.bands <= kWidest,
      "speech-commands: filters and bands must be from 1 to {}, blocks from 0 to {}, got {}, {} "
      "and {}",
      kWidest, kMostBlocks, options.filters, options.bands, options.blocks);
  require(options.rate >= kLeastRate && options.rate <= kMostRate,
          "speech-commands: rate must be from {} to {}, got {}", kLeastRate, kMostRate,
          options.rate);
  require(options.sample.size() == 1 || options.sample.size() == 2,
          "speech-commands: sounds of shape [samples], or features [frames, bands], expected, got "
          "{}",
          to_string(options.sample));

  nn::Sequential model;
  std::int64_t bands = options.bands;
  if (options.sample.size() == 1) {
    constexpr double kWindow = 0.025, kHop = 0.01;  // seconds
    const auto window = static_cast<std::int64_t>(std::round(options.rate * kWindow));
    const auto hop = static_cast<std::int64_t>(std::round(options.rate * kHop));
    const auto fft = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(window)));
    model.add(nn::LogMel{options.rate, fft, hop, window, bands});
  } else {
    bands = options.sample[1];
  }
  model.add(nn::BatchNorm{});
  model.add(nn::Reshape{{-1, bands, 1}});
  model.add(nn::Conv2D{.filters = options.filters,
                       .size = {10, 4},
                       .strides = {2, 2},
                       .same_padding = true,
                       .use_bias = false,
                       .kernel_initializer = nn::he_normal});
  model.add(nn::BatchNorm{});
  model.add(nn::ActivationLayer{nn::relu});
  for (std::int64_t i = 0; i < options.blocks; ++i) {
    add_conv_norm(model, {.depthwise = true});
    add_conv_norm(model, {.filters = options.filters, .size = 1});
  }
  model.add(nn::GlobalAvgPool2D{});
  model.add(nn::Dense{classes});
  return model;
}

}  // namespace tenon::models

#include "tenon/models/resnet.h"

#include "tenon/models/image_layers.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/image_shapes.h"
#include "tenon/nn/pooling.h"
#include "tenon/nn/residual.h"

namespace tenon::models {
namespace {

constexpr std::int64_t kMostBlocks = 1000, kWidest = 1 << 16;

struct ResidualBlock {
  std::int64_t filters = 1;  // of its 3x3 convolutions
  std::int64_t stride = 1;
  bool bottleneck = false;
  bool is_other_shape = false;  // than its input's
  Shortcut shortcut = Shortcut::projected;
  nn::Activation activation = nn::relu;

  std::int64_t results() const { return bottleneck ? 4 * filters : filters; }
};

nn::Residual make_block(const ResidualBlock& block) {
  nn::Sequential body, projection;
  const nn::Activation activation = block.activation;
  if (block.bottleneck) {
    add_conv_norm(body, {.filters = block.filters, .size = 1, .activation = activation});
    add_conv_norm(body,
                  {.filters = block.filters, .stride = block.stride, .activation = activation});
    add_conv_norm(body, {.filters = block.results(), .size = 1, .activation = nn::linear});
  } else {
    add_conv_norm(body,
                  {.filters = block.filters, .stride = block.stride, .activation = activation});
    add_conv_norm(body, {.filters = block.filters, .activation = nn::linear});
  }
  if (block.is_other_shape) {
    switch (block.shortcut) {
      case Shortcut::padded:
        projection.add(nn::ChannelShortcut{block.results(), block.stride});
        break;
      case Shortcut::projected:
        add_conv_norm(projection, {.filters = block.results(),
                                   .size = 1,
                                   .stride = block.stride,
                                   .activation = nn::linear});
        break;
    }
  }
  return {body, projection, activation};
}

void require_resnet_sizes(std::int64_t classes, std::int64_t width,
                          const std::vector<std::int64_t>& blocks) {
  require(classes > 0, "resnet: classes must be above 0, got {}", classes);
  require(width > 0 && width <= kWidest, "resnet: width must be from 1 to {}, got {}", kWidest,
          width);
  require(!blocks.empty() && blocks.size() <= 8, "resnet: 1 to 8 stages expected, got {}",
          blocks.size());
  for (const std::int64_t count : blocks)
    require(count > 0 && count <= kMostBlocks,
            "resnet: the blocks of a stage must be from 1 to {}, got {}", kMostBlocks, count);
}

// Stages of blocks, each but the first with half the pixels and twice the filters; then the head.
void add_stages(nn::Sequential& model, const std::vector<std::int64_t>& stages, ResidualBlock block,
                std::int64_t channels, std::int64_t classes) {
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    if (stage > 0) block.filters *= 2;
    for (std::int64_t i = 0; i < stages[stage]; ++i) {
      block.stride = stage > 0 && i == 0 ? 2 : 1;
      block.is_other_shape = block.stride != 1 || channels != block.results();
      model.add(make_block(block));
      channels = block.results();
    }
  }
  model.add(nn::GlobalAvgPool2D{});
  model.add(nn::Dense{classes});
}

}  // namespace

nn::Sequential small_resnet(std::int64_t classes, const SmallResnetOptions& options) {
  const std::vector<std::int64_t> stages(3, options.blocks);
  require_resnet_sizes(classes, options.width, stages);
  nn::Sequential model = begin_image_model(options.image, "resnet");
  add_conv_norm(model, {.filters = options.width, .activation = options.activation});
  add_stages(
      model, stages,
      {.filters = options.width, .shortcut = options.shortcut, .activation = options.activation},
      options.width, classes);
  return model;
}

nn::Sequential resnet(std::int64_t classes, const ResnetOptions& options) {
  require_resnet_sizes(classes, options.width, options.blocks);
  nn::Sequential model = begin_image_model(options.image, "resnet");
  if (options.small_images) {
    add_conv_norm(model, {.filters = options.width, .activation = options.activation});
  } else {
    add_conv_norm(
        model,
        {.filters = options.width, .size = 7, .stride = 2, .activation = options.activation});
    // Rectified values are never below the zeros around them.
    model.add(nn::ZeroPad2D{});
    model.add(nn::MaxPool2D{{3, 3}, {2, 2}});
  }
  add_stages(model, options.blocks,
             {.filters = options.width,
              .bottleneck = options.bottleneck,
              .activation = options.activation},
             options.width, classes);
  return model;
}

}  // namespace tenon::models

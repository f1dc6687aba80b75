// Residual networks (He, Zhang, Ren, Sun 2016, "Deep Residual Learning for Image Recognition").
#pragma once
#include "tenon/base/tensor_type.h"
#include "tenon/nn/activation.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

// What stands beside a block that changes the shape.
enum class Shortcut : std::uint8_t {
  padded,    // option A: every second pixel, channels of zeros; no weights
  projected  // option B: a 1x1 convolution with batch norm
};

struct SmallResnetOptions {
  std::int64_t blocks = 3;  // in each of the three stages; the depth is 6 * blocks + 2
  std::int64_t width = 16;  // filters of the first stage; the others have twice and four times
  Shortcut shortcut = Shortcut::padded;
  nn::Activation activation = nn::relu;
  Shape image{32, 32, 3};
};

// The network of section 4.2, for CIFAR-10: conv 3x3, three stages of blocks of two 3x3
// convolutions with batch norm, the mean over all pixels, one Dense layer. He initialisation,
// biases only in the last layer. 3, 5 and 9 blocks are resnet20, 32 and 56. UserError for sizes
// below 1 and samples that are no images.
nn::Sequential small_resnet(std::int64_t classes = 10, const SmallResnetOptions& options = {});

struct ResnetOptions {
  std::vector<std::int64_t> blocks{2, 2, 2, 2};  // of each stage
  bool bottleneck = false;                       // 1x1, 3x3, 1x1 with four times the filters
  std::int64_t width = 64;                       // filters of the first stage
  bool small_images = false;  // a 3x3 convolution without stride or pool as the stem
  nn::Activation activation = nn::relu;
  Shape image{224, 224, 3};
};

// The network of table 1, for ImageNet: conv 7x7 and a pool that halve the image twice, stages of
// blocks with option B shortcuts, the mean over all pixels, one Dense layer. Of bottlenecks the 3x3
// convolution has the stride, as torchvision has it ("v1.5"), whose weights fit. {2,2,2,2} is
// resnet18; {3,4,6,3} with bottlenecks resnet50.
nn::Sequential resnet(std::int64_t classes = 1000, const ResnetOptions& options = {});

}  // namespace tenon::models

// MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov, Chen 2018, "Inverted Residuals and Linear
// Bottlenecks").
#pragma once
#include "tenon/base/tensor_type.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

struct MobilenetOptions {
  double width = 1;         // multiplies the channels of every layer
  std::int64_t stages = 7;  // of table 2, the first so many
  std::int64_t blocks = 4;  // no stage has more
  bool small_images =
      false;           // the stem and the second stage have no stride, for images of 32 pixels
  double dropout = 0;  // before the last layer; 0.2 in torchvision
  Shape image{224, 224, 3};
};

// Table 2: blocks that widen the channels by 1x1, filter each on its own by 3x3 and narrow them
// again without an activation, with a shortcut where the shape stays; relu6 and batch norm; the
// mean over all pixels, one Dense layer. Channels are rounded to multiples of 8 as torchvision
// rounds them. UserError for sizes out of range and samples that are no images.
nn::Sequential mobilenet_v2(std::int64_t classes = 1000, const MobilenetOptions& options = {});

}  // namespace tenon::models

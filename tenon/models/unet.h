// U-Net: a class for every pixel (Ronneberger, Fischer, Brox 2015).
#pragma once
#include "tenon/base/tensor_type.h"
#include "tenon/nn/activation.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

struct UnetOptions {
  std::int64_t width = 64;  // filters of the outermost level; each level inside has twice as many
  std::int64_t depth = 4;   // how often the image is halved
  nn::Activation activation = nn::relu;
  Shape image{256, 256, 3};
};

// Levels within each other, each of two 3x3 convolutions, a 2x2 pool, the level inside, a 2x2
// transposed convolution, the way around (nn::SkipConcat), and two convolutions more; then 1x1 to
// `outputs` logits for each pixel, [height, width, outputs]. Unlike the paper's, convolutions keep
// the size and have batch norm, as is usual since. UserError for sizes below 1 and images whose
// sides do not halve so often.
nn::Sequential unet(std::int64_t outputs = 2, const UnetOptions& options = {});

}  // namespace tenon::models

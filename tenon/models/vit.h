// Vision transformer (Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words").
#pragma once
#include "tenon/base/tensor_type.h"
#include "tenon/nn/sequential.h"

namespace tenon::models {

struct VitOptions {
  std::int64_t patch = 16;
  std::int64_t width = 192;
  std::int64_t layers = 12;
  std::int64_t heads = 3;
  std::int64_t hidden = 0;  // width of the Dense layers between; 0: four times `width`
  bool class_token = true;  // false: the mean over all patches
  double dropout = 0;       // after each part of a block
  Shape image{224, 224, 3};
};

// Patches as a convolution, a learned class token and positions, blocks of attention and two Dense
// layers with GELU, each with LayerNorm before and a shortcut around, LayerNorm, one Dense layer.
// The defaults are ViT-Tiny (Touvron et al. 2021). UserError for sizes out of range and images that
// patches do not fill.
nn::Sequential vit(std::int64_t classes = 1000, const VitOptions& options = {});

}  // namespace tenon::models

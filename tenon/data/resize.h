// Bilinear resizing of images in host memory.
#pragma once
#include "tenon/base/host_tensor.h"

namespace tenon::data {

// u8[height, width, C] from u8[H, W, C]: output pixel i samples the input at (i + 0.5) * H /
// height - 0.5 along each axis, held inside of the image, and mixes the two neighbours there
// linearly; computed in f32, rounded to nearest, halves up. What PyTorch calls bilinear with
// align_corners=False and antialias=False. UserError for another type or an extent below 1.
HostTensor resized_bilinear(const HostTensor& image, std::int64_t height, std::int64_t width);

}  // namespace tenon::data

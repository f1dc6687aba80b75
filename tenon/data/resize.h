// Bilinear resizing of images in host memory, with and without antialiasing.
#pragma once
#include "tenon/base/host_tensor.h"

namespace tenon::data {

// u8[height, width, C] from u8[H, W, C]: output pixel i samples the input at (i + 0.5) * H /
// height - 0.5 along each axis, held inside of the image, and mixes the two neighbours there
// linearly; computed in f32, rounded to nearest, halves up. What PyTorch calls bilinear with
// align_corners=False and antialias=False. UserError for another type or an extent below 1.
HostTensor resized_bilinear(const HostTensor& image, std::int64_t height, std::int64_t width);

// A rectangle of an image with sides in pixels and parts of them.
struct ImageBox {
  double top = 0, left = 0, height = 0, width = 0;
};

// u8[height, width, C] from the box of u8[H, W, C]: each output pixel is the mean of the input
// under a triangle as wide as two output pixels, or two input pixels where it enlarges; computed in
// f32, rounded to nearest. What Pillow's resize(BILINEAR, box) and PyTorch's antialias=True
// compute, but for their rounding. `mirrored` exchanges left and right of the result. UserError for
// another type, an extent below 1 and a box that is empty or not inside of the image.
HostTensor resized_antialiased(const HostTensor& image, const ImageBox& box, std::int64_t height,
                               std::int64_t width, bool mirrored = false);

}  // namespace tenon::data

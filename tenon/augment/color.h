// Colours and noise of images: brightness, contrast, saturation, hue.
#pragma once
#include "tenon/augment/augmentation.h"

namespace tenon::augment {

// Images [B, H, W, C] of floats and factors f32[B] or scalars; results are clipped to the range.
// The formulas of torchvision, written for any range; gray is luma 0.299, 0.587, 0.114.

Tensor with_brightness(const Tensor& images, const Tensor& factor, const PixelRange& range);
// About the mean gray of each image; 1 or 3 channels.
Tensor with_contrast(const Tensor& images, const Tensor& factor, const PixelRange& range);
// About the gray of each pixel; 3 channels.
Tensor with_saturation(const Tensor& images, const Tensor& factor, const PixelRange& range);
// The hue of HSV turned by parts of the circle; 3 channels, inside of the range.
Tensor with_hue(const Tensor& images, const Tensor& turn, const PixelRange& range);
// Normal numbers of each sample's key, u32[B, 2], added; `deviation` in units of the range.
Tensor with_noise(const Tensor& images, const Tensor& keys, double deviation,
                  const PixelRange& range);

}  // namespace tenon::augment

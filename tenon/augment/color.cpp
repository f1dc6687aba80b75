#include "tenon/augment/color.h"

#include <array>

#include "tenon/augment/sample_random.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon::augment {
namespace {

// One number for each sample, beside images [B, H, W, C].
Tensor beside(const Tensor& factor, const Tensor& images) {
  const Tensor typed = cast(factor, images.dtype());
  return factor.rank() == 0 ? typed : reshape(typed, {factor.extent(0), 1, 1, 1});
}

Tensor clipped(const Tensor& images, const PixelRange& range) {
  return clip(images, range.black, range.white);
}

std::array<Tensor, 3> channels_of(const Tensor& images) {
  return {slice(images, 3, 0, 1), slice(images, 3, 1, 2), slice(images, 3, 2, 3)};
}

// [B, H, W, 1]: luma of ITU-R BT.601. Weights that add up to 1 keep gray pixels gray.
Tensor gray_of(const Tensor& images) {
  if (images.extent(3) == 1) return images;
  const auto [red, green, blue] = channels_of(images);
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

}  // namespace

Tensor with_brightness(const Tensor& images, const Tensor& factor, const PixelRange& range) {
  if (range.black == 0) return clipped(images * beside(factor, images), range);
  return clipped((images - range.black) * beside(factor, images) + range.black, range);
}

Tensor with_contrast(const Tensor& images, const Tensor& factor, const PixelRange& range) {
  const Tensor middle = mean(gray_of(images), {1, 2, 3}, true);
  return clipped(middle + (images - middle) * beside(factor, images), range);
}

Tensor with_saturation(const Tensor& images, const Tensor& factor, const PixelRange& range) {
  const Tensor gray = gray_of(images);
  return clipped(gray + (images - gray) * beside(factor, images), range);
}

// The hue is a place on a circle of six parts; a channel is at its most within one part of its
// place, at its least beyond two, and linear between: Smith 1978, in one formula for each channel.
Tensor with_hue(const Tensor& images, const Tensor& turn, const PixelRange& range) {
  const auto [red, green, blue] = channels_of(images);
  const Tensor most = maximum(maximum(red, green), blue),
               least = minimum(minimum(red, green), blue);
  const Tensor extent = most - least;
  const Tensor divisor = where(extent == 0.0f, ones_like(extent), extent);
  const Tensor hue =
      where(most == red, (green - blue) / divisor,
            where(most == green, (blue - red) / divisor + 2, (red - green) / divisor + 4));
  const Tensor turned = hue + 6 * beside(turn, images);
  std::array<Tensor, 3> channels;
  constexpr std::array<int, 3> kOffsets = {5, 3, 1};
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const Tensor place = remainder(turned + kOffsets[i], 6);
    channels[i] = most - extent * clip(minimum(place, 4 - place), 0, 1);
  }
  return clipped(concatenate(channels, 3), range);
}

Tensor with_noise(const Tensor& images, const Tensor& keys, double deviation,
                  const PixelRange& range) {
  const Shape& shape = images.shape();
  const Tensor noise = normal_of_each(keys, shape[1] * shape[2] * shape[3]);
  return clipped(images + cast(reshape(noise, shape), images.dtype()) *
                              (deviation * (range.white - range.black)),
                 range);
}

}  // namespace tenon::augment

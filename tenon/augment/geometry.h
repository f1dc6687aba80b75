// Images sampled at other places: one affine map for each sample.
#pragma once
#include <array>

#include "tenon/augment/changes.h"
#include "tenon/tensor/tensor.h"

namespace tenon::augment {

// Where each pixel (x to the right, y down, counted from 0) of the result comes from: source x =
// x[0] * x + x[1] * y + x[2], y alike. Entries f32[B] or f32 scalars.
struct AffineMap {
  std::array<Tensor, 3> x{1.0f, 0.0f, 0.0f};
  std::array<Tensor, 3> y{0.0f, 1.0f, 0.0f};
};

// The map of two changes made one after the other.
AffineMap composed(const AffineMap& first, const AffineMap& second);

// Images of height x width: turned counter-clockwise by an angle in radians; enlarged by a factor;
// sheared by a tangent (all about the centre); moved by pixels; exchanged left and right, or top
// and bottom, where `flipped` is 1 rather than 0.
AffineMap rotation_map(const Tensor& radians, std::int64_t height, std::int64_t width);
AffineMap zoom_map(const Tensor& factor, std::int64_t height, std::int64_t width);
AffineMap shear_map(const Tensor& tangent, std::int64_t height, std::int64_t width);
AffineMap translation_map(const Tensor& down, const Tensor& right);
AffineMap flip_map(const Tensor& flipped, std::int64_t width);
AffineMap flip_vertical_map(const Tensor& flipped, std::int64_t height);

// A rectangle of the source, f32[B] or scalars.
struct Box {
  Tensor top, left, height, width;
};
// The rectangle resized to height x width, pixel areas aligned (what PyTorch calls bilinear with
// align_corners=False).
AffineMap box_map(const Box& box, std::int64_t height, std::int64_t width);

// What a map's result looks like.
struct Sampling {
  std::int64_t height = 0, width = 0;
  Border border = Border::fill;
  double fill = 0;               // in units of the images
  bool is_whole_pixels = false;  // the map gives whole numbers: one pixel is read, not four
};
// images [B, H, W, C], f32 or f64 -> [B, height, width, C], bilinear between the four nearest
// pixels; those outside of the image are `fill` or as the border says.
Tensor sampled(const Tensor& images, const AffineMap& map, const Sampling& sampling);

}  // namespace tenon::augment

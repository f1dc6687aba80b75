#include "tenon/augment/geometry.h"

#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/indexing.h"
#include "tenon/tensor/shape.h"

namespace tenon::augment {
namespace {

float centre_of(std::int64_t extent) { return 0.5f * static_cast<float>(extent - 1); }

// linear * (place - centre) + centre, as a map.
AffineMap about_centre(const std::array<Tensor, 2>& x, const std::array<Tensor, 2>& y,
                       std::int64_t height, std::int64_t width) {
  const float cx = centre_of(width), cy = centre_of(height);
  return {{x[0], x[1], cx - x[0] * cx - x[1] * cy}, {y[0], y[1], cy - y[0] * cx - y[1] * cy}};
}

Tensor column(const Tensor& entry) {
  return entry.rank() == 0 ? entry : reshape(entry, {entry.extent(0), 1, 1});
}

// f32[B, height, width] or an extent of 1 where nothing differs.
Tensor places(const std::array<Tensor, 3>& row, std::int64_t height, std::int64_t width) {
  const Tensor x = iota({1, 1, width}, 2, DType::f32), y = iota({1, height, 1}, 1, DType::f32);
  return column(row[0]) * x + column(row[1]) * y + column(row[2]);
}

// Places along an axis brought back into it.
Tensor inside(const Tensor& place, Border border, std::int64_t extent) {
  const auto last = static_cast<float>(extent - 1);
  if (border == Border::reflect && extent > 1) {
    const Tensor once = remainder(place, 2 * last);
    return clip(minimum(once, 2 * last - once), 0.0f, last);
  }
  // Beyond a pixel outside everything is fill: held there, so that it fits an i32.
  if (border == Border::fill) return clip(place, -2.0f, last + 2.0f);
  return clip(place, 0.0f, last);
}

Tensor is_within(const Tensor& place, std::int64_t extent) {
  return logical_and(place >= 0.0f, place <= static_cast<float>(extent - 1));
}

// Reads pixels of images [B, H, W, C] at whole places f32[B, height, width].
struct PixelReader {
  Tensor pixels;  // [B * H * W, C]
  Tensor first;   // i32[B, 1, 1]: of each image
  std::int64_t height, width;
  Border border;
  Tensor fill;

  PixelReader(const Tensor& images, const Sampling& sampling)
      : pixels(reshape(images, {-1, images.extent(3)})),
        first(iota({images.extent(0), 1, 1}, 0, DType::i32) *
              static_cast<std::int32_t>(images.extent(1) * images.extent(2))),
        height(images.extent(1)),
        width(images.extent(2)),
        border(sampling.border),
        fill(full({}, sampling.fill, images.dtype())) {}

  Tensor operator()(const Tensor& x, const Tensor& y) const {
    const Tensor column = clip(x, 0.0f, static_cast<float>(width - 1));
    const Tensor row = clip(y, 0.0f, static_cast<float>(height - 1));
    const Tensor place =
        cast(row, DType::i32) * static_cast<std::int32_t>(width) + cast(column, DType::i32) + first;
    const Tensor read = take(pixels, place);  // [B, height, width, C]
    if (border != Border::fill) return read;
    return where(expand_dims(logical_and(is_within(x, width), is_within(y, height)), -1), read,
                 fill);
  }
};

}  // namespace

AffineMap composed(const AffineMap& first, const AffineMap& second) {
  const auto row = [&](const std::array<Tensor, 3>& a) -> std::array<Tensor, 3> {
    return {a[0] * second.x[0] + a[1] * second.y[0], a[0] * second.x[1] + a[1] * second.y[1],
            a[0] * second.x[2] + a[1] * second.y[2] + a[2]};
  };
  return {row(first.x), row(first.y)};
}

AffineMap rotation_map(const Tensor& radians, std::int64_t height, std::int64_t width) {
  const Tensor c = cos(radians), s = sin(radians);
  return about_centre({c, -s}, {s, c}, height, width);
}

AffineMap zoom_map(const Tensor& factor, std::int64_t height, std::int64_t width) {
  const Tensor step = 1.0f / factor;
  return about_centre({step, 0.0f}, {0.0f, step}, height, width);
}

AffineMap shear_map(const Tensor& tangent, std::int64_t height, std::int64_t width) {
  return about_centre({1.0f, -tangent}, {0.0f, 1.0f}, height, width);
}

AffineMap translation_map(const Tensor& down, const Tensor& right) {
  return {{1.0f, 0.0f, -right}, {0.0f, 1.0f, -down}};
}

AffineMap flip_map(const Tensor& flipped, std::int64_t width) {
  return {{1.0f - 2.0f * flipped, 0.0f, flipped * static_cast<float>(width - 1)},
          {0.0f, 1.0f, 0.0f}};
}

AffineMap flip_vertical_map(const Tensor& flipped, std::int64_t height) {
  return {{1.0f, 0.0f, 0.0f},
          {0.0f, 1.0f - 2.0f * flipped, flipped * static_cast<float>(height - 1)}};
}

AffineMap box_map(const Box& box, std::int64_t height, std::int64_t width) {
  const Tensor down = box.height / static_cast<float>(height);
  const Tensor right = box.width / static_cast<float>(width);
  // (x + 0.5) * right - 0.5 + left
  return {{right, 0.0f, 0.5f * right - 0.5f + box.left},
          {0.0f, down, 0.5f * down - 0.5f + box.top}};
}

Tensor sampled(const Tensor& images, const AffineMap& map, const Sampling& sampling) {
  check(images.rank() == 4, "images are {}", images.type());
  require(images.size() / std::max<std::int64_t>(1, images.extent(3)) <= INT32_MAX,
          "augmentation: a batch {} has more than 2^31 - 1 pixels; make it smaller",
          images.description());
  const std::int64_t height = images.extent(1), width = images.extent(2);
  const Shape grid{images.extent(0), sampling.height, sampling.width};
  const Tensor x = broadcast_to(
      inside(places(map.x, sampling.height, sampling.width), sampling.border, width), grid);
  const Tensor y = broadcast_to(
      inside(places(map.y, sampling.height, sampling.width), sampling.border, height), grid);
  const PixelReader pixel(images, sampling);
  if (sampling.is_whole_pixels) return pixel(x, y);
  const Tensor left = floor(x), top = floor(y);
  const Tensor right = left + 1.0f, bottom = top + 1.0f;
  const Tensor u = expand_dims(cast(x - left, images.dtype()), -1);
  const Tensor v = expand_dims(cast(y - top, images.dtype()), -1);
  const auto mixed = [&](const Tensor& row) {
    return (1 - u) * pixel(left, row) + u * pixel(right, row);
  };
  return (1 - v) * mixed(top) + v * mixed(bottom);
}

}  // namespace tenon::augment

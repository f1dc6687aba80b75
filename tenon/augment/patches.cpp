#include "tenon/augment/patches.h"

#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon::augment {
namespace {

// `half` more pixels at both ends of an axis: abcd -> cb abcd cb.
Tensor reflected(const Tensor& x, std::int64_t axis, std::int64_t half) {
  const std::int64_t extent = x.extent(axis);
  return concatenate(std::array{flip(slice(x, axis, 1, half + 1), {axis}), x,
                                flip(slice(x, axis, extent - 1 - half, extent - 1), {axis})},
                     axis);
}

// weights [B or 1, size].
Tensor blurred_along(const Tensor& images, const Tensor& weights, std::int64_t axis) {
  const std::int64_t size = weights.extent(1), extent = images.extent(axis);
  const Tensor wide = reflected(images, axis, size / 2);
  Tensor total;
  for (std::int64_t i = 0; i < size; ++i) {
    const Tensor weight = reshape(index(weights, i, 1), {-1, 1, 1, 1});
    const Tensor part = slice(wide, axis, i, i + extent) * weight;
    total = i == 0 ? part : total + part;
  }
  return total;
}

Tensor per_image(const Tensor& number) {
  return number.rank() == 0 ? number : reshape(number, {-1, 1, 1, 1});
}

}  // namespace

Tensor with_blur(const Tensor& images, const Tensor& deviation, std::int64_t size) {
  if (size == 1) return images;
  const std::int64_t half = size / 2;
  const Tensor distance = iota({1, size}, 1, DType::f32) - static_cast<float>(half);
  const Tensor scaled = distance / reshape(deviation, {-1, 1});
  const Tensor density = exp(-0.5f * scaled * scaled);
  const Tensor weights = cast(density / sum(density, {1}, true), images.dtype());
  return blurred_along(blurred_along(images, weights, 2), weights, 1);
}

Tensor in_rectangle(const Tensor& top, const Tensor& bottom, const Tensor& left,
                    const Tensor& right, std::int64_t height, std::int64_t width) {
  const Tensor y = iota({1, height, 1, 1}, 1, DType::f32);
  const Tensor x = iota({1, 1, width, 1}, 2, DType::f32);
  return logical_and(logical_and(y >= per_image(top), y < per_image(bottom)),
                     logical_and(x >= per_image(left), x < per_image(right)));
}

Tensor with_square(const Tensor& images, const Tensor& row, const Tensor& column, std::int64_t size,
                   double fill) {
  const std::int64_t before = size / 2;
  const auto side = static_cast<float>(size), half = static_cast<float>(before);
  const Tensor top = row - half, left = column - half;
  const Tensor inside =
      in_rectangle(top, top + side, left, left + side, images.extent(1), images.extent(2));
  return where(inside, full({}, fill, images.dtype()), images);
}

}  // namespace tenon::augment

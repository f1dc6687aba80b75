// Blurred images and erased squares.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon::augment {

// Images [B, H, W, C] of floats under Gaussian weights of size x size pixels (size odd, at most
// twice the shorter side less one), their deviation in pixels f32[B] or a scalar; reflected at the
// border.
Tensor with_blur(const Tensor& images, const Tensor& deviation, std::int64_t size);

// `fill` in the square of this side around pixel (row, column), f32[B] whole numbers: rows from
// row - size / 2 (rounded down) on.
Tensor with_square(const Tensor& images, const Tensor& row, const Tensor& column, std::int64_t size,
                   double fill);
// bool [B or 1, H, W, 1]: whether a pixel lies in rows top <= y < bottom and columns alike.
Tensor in_rectangle(const Tensor& top, const Tensor& bottom, const Tensor& left,
                    const Tensor& right, std::int64_t height, std::int64_t width);

}  // namespace tenon::augment

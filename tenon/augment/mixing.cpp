#include "tenon/augment/mixing.h"

#include <cmath>

#include "tenon/augment/patches.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/indexing.h"
#include "tenon/tensor/random.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon::augment {
namespace {

// The logarithm of a gamma number: small shapes give numbers that f32 cannot hold.
Tensor log_gamma_number(const Tensor& key, double shape) {
  constexpr std::int64_t kTries = 32;  // one fails in less than 1 of 20 cases
  const std::vector<Tensor> keys = random::split_key(key, 3);
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  const Tensor x = random::normal(keys[0], {kTries});
  const Tensor cube = 1.0f + (1 / std::sqrt(9 * d)) * x;
  const Tensor v = maximum(cube * cube * cube, 1e-30f);
  const Tensor limit = 0.5f * x * x + d * (1.0f - v + log(v));
  const Tensor accepted =
      logical_and(cube > 0.0f, log1p(-random::uniform(keys[1], {kTries})) < limit);
  const Tensor chosen = log(d * take(v, argmax(cast(accepted, DType::i32), 0)));
  if (shape >= 1) return chosen;
  return chosen + log1p(-random::uniform(keys[2], {})) / shape;
}

Tensor partners(const Tensor& x) { return flip(x, {0}); }

Tensor mixture(const Tensor& x, const Tensor& share) {
  const Tensor part = cast(share, x.dtype());
  return x * part + partners(x) * (1 - part);
}

}  // namespace

Tensor beta_share(const Tensor& key, double alpha) {
  const std::vector<Tensor> keys = random::split_key(key, 2);
  return sigmoid(log_gamma_number(keys[0], alpha) - log_gamma_number(keys[1], alpha));
}

Augmented mixed_up(const Tensor& images, const Tensor& targets, const Tensor& share) {
  return {mixture(images, share), mixture(targets, share)};
}

Augmented cut_and_mixed(const Tensor& images, const Tensor& targets, const Tensor& share,
                        const Tensor& row, const Tensor& column) {
  const std::int64_t height = images.extent(1), width = images.extent(2);
  const auto rows = static_cast<float>(height), columns = static_cast<float>(width);
  const Tensor side = sqrt(1.0f - share);
  const Tensor half_height = floor(floor(side * rows) / 2.0f);
  const Tensor half_width = floor(floor(side * columns) / 2.0f);
  const Tensor top = clip(row - half_height, 0.0f, rows);
  const Tensor bottom = clip(row + half_height, 0.0f, rows);
  const Tensor left = clip(column - half_width, 0.0f, columns);
  const Tensor right = clip(column + half_width, 0.0f, columns);
  const Tensor inside = in_rectangle(top, bottom, left, right, height, width);
  const Tensor kept = 1.0f - (bottom - top) * (right - left) / (rows * columns);
  return {where(inside, partners(images), images), mixture(targets, kept)};
}

}  // namespace tenon::augment

// Attention weights under masks, and positions as angles.
#include <cmath>
#include <limits>

#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/linalg.h"
#include "tenon/tensor/nn_functions.h"
#include "tenon/tensor/positions.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon {
namespace {

// time / base^(pair / pairs) in f64: [length, pairs]. In f32 late positions would lose their place.
// `first`: the time of the first row, 0 if it is empty.
Tensor position_angles(std::int64_t length, std::int64_t pairs, double width, double base,
                       std::string_view what, const Tensor& first = {}) {
  require(base > 0 && std::isfinite(base), "{}: base must be finite and above 0, got {}", what,
          base);
  const Shape shape{length, pairs};
  const Tensor frequencies =
      exp(cast(iota(shape, 1, DType::i64), DType::f64) * (-2 * std::log(base) / width));
  Tensor time = iota(shape, 0, DType::i64);
  if (!first.is_empty()) time = time + cast(first, DType::i64);
  return cast(time, DType::f64) * frequencies;
}

// [..., time, width] turned by angles [time, pairs].
Tensor turned_by(const Tensor& angles, const Tensor& x, bool interleaved) {
  const std::int64_t pairs = x.extent(-1) / 2;
  const Tensor cosine = cast(cos(angles), x.dtype()), sine = cast(sin(angles), x.dtype());
  Shape paired(x.shape().begin(), x.shape().end() - 1);
  paired.push_back(interleaved ? pairs : 2);
  paired.push_back(interleaved ? 2 : pairs);
  const std::int64_t axis = interleaved ? -1 : -2;
  const Tensor halves = reshape(x, paired);
  const Tensor a = index(halves, 0, axis), b = index(halves, 1, axis);
  const Tensor turned = stack(std::array{a * cosine - b * sine, b * cosine + a * sine}, axis);
  return reshape(turned, x.shape());
}

void require_pairs(const Tensor& x) {
  require(is_float(x.dtype()) && x.rank() >= 2 && x.extent(-1) > 0 && x.extent(-1) % 2 == 0,
          "rotary_embedding: expected a float [..., time, width] of even width, got {}", x.type());
}

}  // namespace

Tensor attention_weights(const Tensor& q, const Tensor& k, const Tensor& mask, bool causal) {
  require(q.rank() >= 2 && k.rank() >= 2 && is_float(q.dtype()) && is_float(k.dtype()),
          "attention_weights: expected floats q [..., t, d] and k [..., s, d], got {} and {}",
          q.type(), k.type());
  const Tensor scores =
      matmul(q, swap_axes(k, -1, -2)) * (1 / std::sqrt(static_cast<double>(q.extent(-1))));
  Tensor allowed = mask;
  if (!mask.is_empty())
    require(mask.dtype() == DType::boolean, "attention_weights: the mask must be bool, got {}",
            mask.type());
  if (causal) {
    const std::int64_t queries = q.extent(-2), keys = k.extent(-2);
    require(queries <= keys,
            "attention_weights: causal needs at least as many keys as queries, got q {} and k {}",
            q.type(), k.type());
    const Tensor last = iota({queries, keys}, 0, DType::i64) + (keys - queries);
    const Tensor earlier = iota({queries, keys}, 1, DType::i64) <= last;
    allowed = allowed.is_empty() ? earlier : logical_and(allowed, earlier);
  }
  if (allowed.is_empty()) return softmax(scores);
  allowed = broadcast_to(allowed, scores.shape());
  const Tensor none(-std::numeric_limits<double>::infinity());
  const Tensor largest = stop_gradient(max(where(allowed, scores, none), {-1}, true));
  // A row that allows nothing has no largest score.
  const Tensor base = where(equal(largest, none), zeros_like(largest), largest);
  const Tensor shifted = where(allowed, scores - base, zeros_like(scores));
  const Tensor powers = where(allowed, exp(shifted), zeros_like(scores));
  const Tensor total = sum(powers, {-1}, true);
  return powers / where(total > 0.0, total, ones_like(total));
}

Tensor rotary_embedding(const Tensor& x, double base, bool interleaved) {
  require_pairs(x);
  return turned_by(position_angles(x.extent(-2), x.extent(-1) / 2,
                                   static_cast<double>(x.extent(-1)), base, "rotary_embedding"),
                   x, interleaved);
}

Tensor rotary_embedding_from(const Tensor& first, const Tensor& x, double base, bool interleaved) {
  require_pairs(x);
  require(is_integer(first.dtype()) && first.rank() == 0,
          "rotary_embedding_from: expected an integer scalar as first time, got {}", first.type());
  return turned_by(
      position_angles(x.extent(-2), x.extent(-1) / 2, static_cast<double>(x.extent(-1)), base,
                      "rotary_embedding_from", first),
      x, interleaved);
}

Tensor sinusoidal_positions(std::int64_t length, std::int64_t width, double base, DType dtype) {
  require(length >= 0 && width > 0 && is_float(dtype),
          "sinusoidal_positions: expected a length, a width above 0 and a float type, got {}, {} "
          "and {}",
          length, width, dtype);
  const std::int64_t pairs = width / 2 + width % 2;
  const Tensor angles =
      position_angles(length, pairs, static_cast<double>(width), base, "sinusoidal_positions");
  const Tensor both = reshape(stack(std::array{sin(angles), cos(angles)}, -1), {length, 2 * pairs});
  return cast(slice(both, 1, 0, width), dtype);
}

}  // namespace tenon

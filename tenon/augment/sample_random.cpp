#include "tenon/augment/sample_random.h"

#include <array>
#include <numbers>

#include "tenon/base/threefry.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/shape.h"

namespace tenon::augment {
namespace {

Tensor word(std::uint32_t value) { return Tensor(make_scalar(value)); }

Tensor rotated_left(const Tensor& x, int bits) {
  return bitwise_or(left_shift(x, word(static_cast<std::uint32_t>(bits))),
                    right_shift(x, word(static_cast<std::uint32_t>(32 - bits))));
}

// As many bits as f32 holds, so that none rounds to 1: random::uniform's.
Tensor unit_of(const Tensor& words) {
  constexpr std::uint32_t kDropped = 8;
  return cast(right_shift(words, word(kDropped)), DType::f32) * 0x1p-24f;
}

}  // namespace

// threefry2x32 of base/threefry.h on tensors, for counters below 2^32.
Tensor bits_of_each(const Tensor& keys, std::int64_t count) {
  check(keys.rank() == 2 && keys.extent(1) == 2 && keys.dtype() == DType::u32,
        "keys of samples are {}", keys.type());
  const Tensor first = slice(keys, 1, 0, 1), second = slice(keys, 1, 1, 2);  // [B, 1]
  const Tensor third = bitwise_xor(bitwise_xor(word(0x1bd11bda), first), second);
  const std::array parts = {first, second, third};
  constexpr std::array<std::array<int, 4>, 2> kRotations = {{{13, 15, 26, 6}, {17, 29, 16, 24}}};
  Tensor x0 = broadcast_to(first, {keys.extent(0), count});
  Tensor x1 = iota({1, count}, 1, DType::u32) + second;
  for (std::uint32_t group = 0; group < 5; ++group) {
    for (const int rotation : kRotations[group % 2]) {
      x0 = x0 + x1;
      x1 = bitwise_xor(rotated_left(x1, rotation), x0);
    }
    x0 = x0 + parts[(group + 1) % 3];
    x1 = x1 + (parts[(group + 2) % 3] + word(group + 1));
  }
  return bitwise_xor(x0, x1);
}

Tensor uniform_of_each(const Tensor& keys, std::int64_t count) {
  return unit_of(bits_of_each(keys, count));
}

Tensor normal_of_each(const Tensor& keys, std::int64_t count) {
  const Tensor units = uniform_of_each(keys, 2 * count);
  const Tensor radius = sqrt(-2.0f * log1p(-slice(units, 1, 0, count)));
  return radius * cos((2 * std::numbers::pi_v<float>)*slice(units, 1, count));
}

Tensor Draws::take_words(std::int64_t count) {
  const Tensor words = slice(words_, 1, next_, next_ + count);
  next_ += count;
  return words;
}

Tensor Draws::uniform() { return unit_of(index(take_words(1), 0, 1)); }

Tensor Draws::uniform(double low, double high) {
  return uniform() * static_cast<float>(high - low) + static_cast<float>(low);
}

Tensor Draws::uniforms(std::int64_t count) { return unit_of(take_words(count)); }

Tensor Draws::below(const Tensor& count) {
  return minimum(floor(uniform() * count), count - 1.0f);  // the product may round up
}

Tensor Draws::key() { return take_words(2); }

}  // namespace tenon::augment

#include "tenon/tensor/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "tenon/tensor/build.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/indexing.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon::random {
namespace {

void require_key(const Tensor& key) {
  require(key.type() == TensorType{DType::u32, {2}},
          "random: a key is u32[2] (see random::key), got {}", key.type());
}
void require_float(DType dtype, std::string_view what) {
  require(is_float(dtype), "random: {} makes floats, not {}", what, dtype);
}

DType wide_type_of(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

int mantissa_bits_of(DType dtype) {
  if (dtype == DType::f16) return 11;
  if (dtype == DType::bf16) return 8;
  return dtype == DType::f32 ? 24 : 53;
}

// The distance of neighbouring numbers of the type around x.
double spacing_at(double x, DType dtype) {
  const int lowest = dtype == DType::f16 ? -14 : dtype == DType::f64 ? -1022 : -126;
  const int exponent = x == 0 ? lowest : std::max(lowest, std::ilogb(x));
  return std::ldexp(1.0, exponent + 1 - mantissa_bits_of(dtype));
}
double first_not_below(double x, DType dtype) {
  const double step = spacing_at(x, dtype);
  return std::ceil(x / step) * step;
}
double last_below(double x, DType dtype) {
  const double less = std::nextafter(x, -std::numeric_limits<double>::infinity());
  const double step = spacing_at(less, dtype);
  return std::floor(less / step) * step;
}
double largest_of(DType dtype) {
  const int exponent = dtype == DType::f16 ? 15 : dtype == DType::f64 ? 1023 : 127;
  return std::ldexp(2 - std::ldexp(1.0, 1 - mantissa_bits_of(dtype)), exponent);
}

// Uniform in [0, 1), as f32 or f64: as many random bits as the type holds, so that none rounds
// to 1.
Tensor unit(const Tensor& key, const Shape& shape, DType dtype) {
  if (dtype != DType::f64) {
    const int count = mantissa_bits_of(dtype);
    const Tensor whole = right_shift(bits(key, shape), cast(Tensor(32 - count), DType::u32));
    return cast(whole, DType::f32) * std::ldexp(1.0, -count);
  }
  const std::vector<Tensor> keys = split_key(key);
  const Tensor high = right_shift(bits(keys[0], shape), cast(Tensor(6), DType::u32));  // 26 bits
  const Tensor low = right_shift(bits(keys[1], shape), cast(Tensor(5), DType::u32));   // 27 bits
  return (cast(high, DType::f64) * 0x1p27 + cast(low, DType::f64)) * 0x1p-53;
}

// Inverse error function by a rational start (Giles 2010) and two Newton steps on erf.
Tensor erf_inverse(const Tensor& y) {
  const Tensor w = -log1p(-y * y);
  const double a = 0.147;  // Winitzki 2008
  const Tensor t = 2 / (std::numbers::pi * a) - 0.5 * w;
  Tensor x = sign(y) * sqrt(sqrt(t * t + w / a) - t);
  for (int i = 0; i < 2; ++i)
    x = x - (erf(x) - y) * (0.5 * std::sqrt(std::numbers::pi)) * exp(x * x);
  return x;
}

}  // namespace

Tensor key(std::uint64_t seed) {
  return Tensor(make_tensor<std::uint32_t>(
      {2}, {static_cast<std::uint32_t>(seed >> 32), static_cast<std::uint32_t>(seed)}));
}

Tensor bits(const Tensor& key, Shape shape) {
  require_key(key);
  return apply_op(ir::RandomBits{std::move(shape)}, {key});
}

Tensor fold_in(const Tensor& key, const Tensor& number) {
  require_key(key);
  // The number becomes the counter's key: mix it in, then take two fresh words.
  const Tensor salt =
      concatenate(std::array{reshape(cast(number, DType::u32), {1}), zeros({1}, DType::u32)});
  return bits(bits(key, {2}) + salt, {2});
}

Tensor fold_in(const Tensor& key, std::uint32_t number) {
  return fold_in(key, Tensor(make_scalar<std::uint32_t>(number)));
}

std::vector<Tensor> split_key(const Tensor& key, std::int64_t count) {
  std::vector<Tensor> keys;
  const Tensor words = bits(key, {count, 2});
  for (std::int64_t i = 0; i < count; ++i) keys.push_back(index(words, i));
  return keys;
}

Tensor uniform(const Tensor& key, Shape shape, double low, double high, DType dtype) {
  require_float(dtype, "uniform");
  for (const double bound : {low, high})
    require(std::abs(bound) <= largest_of(dtype) && std::isfinite(high - low),
            "random::uniform: expected finite bounds of {}, got [{}, {})", dtype, low, high);
  require(low <= high, "random::uniform: low {} is above high {}", low, high);
  const Tensor u = unit(key, shape, dtype);
  if (low == 0 && high == 1) return cast(u, dtype);
  if (low == high) return full(shape, low, dtype);
  const double first = first_not_below(low, dtype), last = last_below(high, dtype);
  require(first <= last, "random::uniform: no number of {} lies in [{}, {})", dtype, low, high);
  return clip(cast(u * (high - low) + low, dtype), first, last);
}

Tensor normal(const Tensor& key, Shape shape, double mean, double deviation, DType dtype) {
  require_float(dtype, "normal");
  const DType wide = wide_type_of(dtype);
  const std::vector<Tensor> keys = split_key(key);
  const Tensor radius = sqrt(-2.0f * log1p(-unit(keys[0], shape, wide)));
  const Tensor angle = (2 * std::numbers::pi) * unit(keys[1], shape, wide);
  return cast(radius * cos(angle) * deviation + mean, dtype);
}

Tensor truncated_normal(const Tensor& key, Shape shape, double limit, DType dtype) {
  require_float(dtype, "truncated_normal");
  require(limit > 0, "random::truncated_normal: limit {} is not above 0", limit);
  const DType wide = wide_type_of(dtype);
  const double end = std::erf(limit / std::numbers::sqrt2);
  const Tensor y = uniform(key, std::move(shape), -end, end, wide);
  return cast(clip(std::numbers::sqrt2 * erf_inverse(y), -limit, limit), dtype);
}

Tensor bernoulli(const Tensor& key, double probability, Shape shape) {
  require(probability >= 0 && probability <= 1,
          "random::bernoulli: probability {} is not in [0, 1]", probability);
  return unit(key, shape, DType::f32) < probability;
}

Tensor randint(const Tensor& key, Shape shape, std::int64_t low, std::int64_t high) {
  require(low < high && low >= -(1ll << 31) && high <= (1ll << 31),
          "random::randint: [{}, {}) is empty or beyond i32", low, high);
  // 53 random bits make the bias of scaling below 2^-21.
  const Tensor scaled = floor(unit(key, shape, DType::f64) * static_cast<double>(high - low));
  return cast(scaled + static_cast<double>(low), DType::i32);
}

Tensor permutation(const Tensor& key, std::int64_t n) { return argsort(bits(key, {n}), 0); }

Tensor categorical(const Tensor& key, const Tensor& logits) {
  require(logits.rank() >= 1 && is_float(logits.dtype()),
          "random::categorical: logits must be floats of rank 1 or more, got {}", logits.type());
  const Tensor gumbel = -log(exponential(key, logits.shape()));
  return argmax(cast(logits, DType::f32) + gumbel, -1);
}

Tensor exponential(const Tensor& key, Shape shape, double rate, DType dtype) {
  require(rate > 0 && std::isfinite(rate),
          "random::exponential: rate {} is not a finite number above 0", rate);
  require_float(dtype, "exponential");
  return cast(-log1p(-unit(key, shape, wide_type_of(dtype))) / rate, dtype);
}

}  // namespace tenon::random

namespace tenon {

Tensor dropout(const Tensor& x, double rate, const Tensor& key) {
  require(rate >= 0 && rate < 1, "dropout: rate {} is not in [0, 1)", rate);
  require(is_float(x.dtype()), "dropout: needs floats, got {}", x.type());
  if (rate == 0) return x;
  const Tensor keep = random::bernoulli(key, 1 - rate, x.shape());
  return where(keep, x * (1 / (1 - rate)), zeros_like(x));
}

}  // namespace tenon

// Random numbers from keys (u32[2]): the same key gives the same numbers on every device. A key is
// used once; make more with split_key and fold_in.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon::random {

Tensor key(std::uint64_t seed);
// A new key from a key and a number; different numbers give independent keys.
Tensor fold_in(const Tensor& key, std::uint32_t number);
Tensor fold_in(const Tensor& key, const Tensor& number);  // u32 scalar
std::vector<Tensor> split_key(const Tensor& key, std::int64_t count = 2);

Tensor bits(const Tensor& key, Shape shape);  // u32
// In [low, high), in numbers of the float type. UserError if the bounds are not finite or hold
// none.
Tensor uniform(const Tensor& key, Shape shape, double low = 0, double high = 1,
               DType dtype = DType::f32);
// Box, Muller 1958.
Tensor normal(const Tensor& key, Shape shape, double mean = 0, double deviation = 1,
              DType dtype = DType::f32);
// Standard normal restricted to [-limit, limit], by inverting the distribution function.
Tensor truncated_normal(const Tensor& key, Shape shape, double limit = 2, DType dtype = DType::f32);
// bool, true with the given probability.
Tensor bernoulli(const Tensor& key, double probability, Shape shape);
// Integers in [low, high); i32.
Tensor randint(const Tensor& key, Shape shape, std::int64_t low, std::int64_t high);
// i32 permutation of 0 ... n - 1.
Tensor permutation(const Tensor& key, std::int64_t n);
// Index drawn along the last axis with probability softmax(logits), by the Gumbel trick; i32.
Tensor categorical(const Tensor& key, const Tensor& logits);
Tensor exponential(const Tensor& key, Shape shape, double rate = 1, DType dtype = DType::f32);

}  // namespace tenon::random

namespace tenon {

// Zeroes elements with probability `rate` and scales the others by 1 / (1 - rate).
// Srivastava et al. 2014.
Tensor dropout(const Tensor& x, double rate, const Tensor& key);

}  // namespace tenon

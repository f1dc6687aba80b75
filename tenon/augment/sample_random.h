// Random numbers of many samples at once, each sample's from its own key.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon::augment {

// u32[B, count]: row i is random::bits(keys[i], {count}); keys u32[B, 2].
Tensor bits_of_each(const Tensor& keys, std::int64_t count);
// f32[B, count], in [0, 1): row i is random::uniform(keys[i], {count}).
Tensor uniform_of_each(const Tensor& keys, std::int64_t count);
// f32[B, count], standard normal; Box, Muller 1958.
Tensor normal_of_each(const Tensor& keys, std::int64_t count);

// The numbers that decide about changes: words of one stream for each sample, given one by one.
class Draws {
 public:
  // `count` words will be asked for at most.
  Draws(const Tensor& keys, std::int64_t count) : words_(bits_of_each(keys, count)) {}
  Tensor uniform();                         // f32[B], in [0, 1)
  Tensor uniform(double low, double high);  // f32[B], in [low, high)
  Tensor uniforms(std::int64_t count);      // f32[B, count], in [0, 1)
  Tensor below(const Tensor& count);        // f32[B]: whole, 0 to count - 1
  Tensor key();                             // u32[B, 2]

 private:
  Tensor take_words(std::int64_t count);
  Tensor words_;
  std::int64_t next_ = 0;
};

}  // namespace tenon::augment

// Helpers of the augmentation tests: images, keys, runs on both backends.
#pragma once
#include <gtest/gtest.h>

#include <functional>

#include "../error_of.h"
#include "tenon/augment/augmentation.h"
#include "tenon/session/session.h"
#include "tenon/tensor/functions.h"

namespace tenon::augment {

// Numbers in [0, 1), all different.
inline HostTensor some_images(Shape shape, std::uint64_t seed = 3) {
  return random::uniform(random::key(seed), std::move(shape)).value();
}

// i32 numbers.
inline Tensor indices_of(std::initializer_list<std::int32_t> values) {
  return Tensor(make_tensor<std::int32_t>({static_cast<std::int64_t>(values.size())}, values));
}

// Keys of samples 0 to count - 1 of an epoch.
inline Tensor keys_of(std::int64_t count, std::uint64_t seed = 1, std::uint32_t epoch = 0) {
  return sample_keys(random::fold_in(random::key(seed), epoch), iota({count}, 0));
}

// bool [B]: whether row i of one equals row i of the other.
inline Tensor all_of_rows_equal(const Tensor& x, const Tensor& y) {
  return all(reshape(x == y, {x.extent(0), -1}), {1});
}

inline HostTensor run_on(std::string_view device, const Tensor& tensor) {
  Session session(device, {.threads = 2});
  return session.run(tensor);
}

}  // namespace tenon::augment

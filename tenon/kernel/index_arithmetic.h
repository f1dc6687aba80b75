// Scalar functions of index numbers that are known while a kernel is made or read.
#pragma once
#include <cstdint>
#include <optional>

#include "tenon/base/scalar_function.h"

namespace tenon::kernel {

// What the function gives for two i64 numbers; none where its meaning depends on more than
// wrapping, and of functions that indices do not use.
std::optional<std::int64_t> fold_integers(ScalarFunction function, std::int64_t a, std::int64_t b);

}  // namespace tenon::kernel

// Kernels written by hand, of every kind that lowering makes.
#pragma once
#include "tenon/kernel/builder.h"

namespace tenon::codegen::samples {

// y = max(x * scale + bias[lane], 0) and its mask, for `rows` rows; one row per instance.
kernel::Kernel elementwise(std::int64_t rows, std::int64_t lanes, std::int64_t team);
// y = exp(x - max x) / sum, one row per instance.
kernel::Kernel row_softmax(std::int64_t rows, std::int64_t lanes, std::int64_t team);
// y = (x - mean) * rsqrt(variance + 1e-5) * gain + shift; writes mean and rsqrt for the backward.
kernel::Kernel layer_norm(std::int64_t rows, std::int64_t lanes, std::int64_t team);
// dx of layer_norm from dy, x, gain, mean and rsqrt.
kernel::Kernel layer_norm_backward(std::int64_t rows, std::int64_t lanes, std::int64_t team);
// out = max(x w + bias, 0): a tile of 64 x 64 per instance, panels of 16 steps of depth staged in
// shared memory between barriers. Sizes are multiples of 64, depth of 16.
kernel::Kernel staged_dense(std::int64_t rows, std::int64_t lanes, std::int64_t depth,
                            std::int64_t team);

}  // namespace tenon::codegen::samples

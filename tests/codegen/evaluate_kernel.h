// What a kernel computes, by its definition: tile after tile, the judge of generated code.
#pragma once
#include <span>

#include "tenon/base/host_tensor.h"
#include "tenon/kernel/kernel.h"

namespace tenon::codegen {

// Runs instances first ... last - 1 in order. One tensor per argument buffer, updated in place;
// two entries may be the same tensor.
void evaluate_kernel(const kernel::Kernel& kernel, std::span<HostTensor* const> arguments,
                     std::int64_t first, std::int64_t last);

}  // namespace tenon::codegen

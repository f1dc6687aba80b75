// Runs kernels on byte buffers exactly as kernel.h says, one element at a time: the judge of
// lowering and of generated code.
#pragma once
#include <cstddef>
#include <span>

#include "tenon/kernel/kernel.h"

namespace tenon::kernel {

// Whether an instance may touch an element that another one has written: a kernel run by several
// threads must be `independent`.
enum class Instances { independent, in_order };

// Runs every instance, in order; one span of bytes for each argument buffer, and two of them may
// be the same memory. std::runtime_error if an access leaves its buffer, or if instances that
// should be independent are not.
void evaluate_kernel(const Kernel& kernel, std::span<const std::span<std::byte>> arguments,
                     Instances instances = Instances::independent);

}  // namespace tenon::kernel

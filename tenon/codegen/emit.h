// Kernels as text: C for the system's compiler, CUDA C for NVRTC.
#pragma once
#include <span>
#include <string>

#include "tenon/kernel/kernel.h"
#include "tenon/kernel/kernel_options.h"

namespace tenon::codegen {

// Everything kernels of a C file may call: types, runtime ABI, scalar functions. Needs no header
// beside <stdint.h> and <string.h>, and no libm.
// Only the parts that `kernels` use are included.
std::string c_prelude(std::span<const kernel::Kernel> kernels);
// static void NAME(void* const* arguments, int64_t first, int64_t last) { ... }
std::string emit_c(const kernel::Kernel& kernel, const kernel::KernelOptions& options = {});

std::string cuda_prelude(std::span<const kernel::Kernel> kernels);
// extern "C" __global__ void NAME(pointers...): launched with grid x 1 x 1 blocks of team threads.
std::string emit_cuda(const kernel::Kernel& kernel);

}  // namespace tenon::codegen

// How much a kernel computes, counted by following its control flow without its data.
#pragma once
#include "tenon/kernel/kernel.h"

namespace tenon::kernel {

// Floating-point operations of the whole grid: 2 for each product of a contraction and for each
// fused multiply-add, 1 for each element of any other function and of a fold. Inactive rows and
// lanes do not count; a branch on data counts as taken.
double count_flops(const Kernel& kernel);

}  // namespace tenon::kernel

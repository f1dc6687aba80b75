// How much a kernel computes and moves, counted by following its control flow without its data.
#pragma once
#include "tenon/kernel/kernel.h"

namespace tenon::kernel {

struct Work {
  // 2 for each product of a contraction and for each fused multiply-add, 1 for each element of any
  // other function and of a fold.
  double flops = 0;
  // Of the arguments: what is loaded and stored, each element once, however often.
  double bytes = 0;
};

// Of the whole grid. Lanes and rows that nothing uses do not count (kernel/needs.h); a branch on
// data counts as taken. As long as it takes to follow the branches that depend on indices.
Work count_work(const Kernel& kernel);

}  // namespace tenon::kernel

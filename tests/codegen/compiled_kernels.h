// Generated C compiled by several compilers for several processors, loaded and run.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/kernel/kernel.h"

namespace tenon::codegen {

struct CompilerChoice {
  std::string program;
  std::string processor;
};
// Those that this machine has: cc and clang, for this processor and for AVX2 alone.
const std::vector<CompilerChoice>& compiler_choices();

class CompiledKernels {
 public:
  CompiledKernels(std::span<const kernel::Kernel> kernels, const CompilerChoice& choice);
  ~CompiledKernels();
  CompiledKernels(const CompiledKernels&) = delete;
  CompiledKernels& operator=(const CompiledKernels&) = delete;

  void run(std::size_t kernel, std::span<HostTensor* const> arguments, std::int64_t first,
           std::int64_t last) const;

 private:
  void* library_ = nullptr;
};

// Runs the kernels on arguments of random numbers (small integers for integer types) by the
// evaluator and by every compiler's code and expects equal bytes. `in_place` (output, input)
// argument pairs share one tensor.
void expect_same_bits(std::span<const kernel::Kernel> kernels,
                      std::vector<std::pair<std::size_t, std::size_t>> in_place = {});

}  // namespace tenon::codegen

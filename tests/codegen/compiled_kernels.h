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
// cc for this processor and, if there is one, clang for AVX2 alone; `all` adds cc for AVX2 and
// clang for this processor.
std::vector<CompilerChoice> compiler_choices(bool all = true);

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
// evaluator and by the compilers' code and expects equal bytes. `in_place` (output, input)
// argument pairs share one tensor.
struct ComparisonOptions {
  std::vector<std::pair<std::size_t, std::size_t>> in_place = {};
  bool all_compilers = false;
};
void expect_same_bits(std::span<const kernel::Kernel> kernels,
                      const ComparisonOptions& options = {});

}  // namespace tenon::codegen

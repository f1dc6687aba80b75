// The C ABI between generated code and whoever runs it; also printed at the top of generated code.
#pragma once
#include <cstdint>

namespace tenon::codegen {

inline constexpr std::uint32_t kRuntimeVersion = 2;

// A range of instances of one kernel: runs first ... last - 1 with the kernel's argument pointers.
using KernelFunction = void (*)(void* const* arguments, std::int64_t first, std::int64_t last);

struct TenonRuntime {
  std::uint32_t version;  // kRuntimeVersion
  std::uint32_t threads;
  void* context;
  // Splits [0, grid) over the threads and returns when all instances are done.
  void (*parallel)(const TenonRuntime* runtime, KernelFunction kernel, void* const* arguments,
                   std::int64_t grid);
  // Data too large for the generated text, in the order in which the text numbers it.
  const void* const* constants;
  // Called after each launch, with its number, by a step that was compiled to be profiled.
  void (*mark)(const TenonRuntime* runtime, std::uint32_t launch);
};

// int tenon_step(const TenonRuntime*, void* const* state, const void* const* inputs,
//                void* const* results, void* arena): 0 on success.
using StepFunction = int (*)(const TenonRuntime* runtime, void* const* state,
                             const void* const* inputs, void* const* results, void* arena);

}  // namespace tenon::codegen

// A graph compiled for the processor: machine code, its constants, and what it needs to run.
#pragma once
#include <filesystem>
#include <map>

#include "tenon/backends/cpu/library.h"
#include "tenon/backends/signature.h"
#include "tenon/codegen/runtime_abi.h"

namespace tenon::backends {

struct Program {
  Signature signature;
  MemoryReport memory;
  CompileReport report;
  bool uses_threads = false;
  std::vector<LaunchInfo> launches;  // of a program that is profiled
  std::unique_ptr<Library> library;
  codegen::StepFunction step = nullptr;  // in the library
  std::vector<HostTensor> constants;     // those the code does not hold itself
  std::vector<const void*> constant_pointers;
  std::map<std::string, std::string, std::less<>> texts;  // by stage, if they were kept
};

// What CompileOptions::skip may name: passes that are not required, what planning
// (schedule/plan_options.h) and kernels (kernel/kernel_options.h) do, and "small_on_one_thread".
std::vector<std::string_view> cpu_optimizations();

// Passes and plan alone.
StepMemory plan_program_memory(const ir::Graph& graph, const CompileOptions& options);
// The C files that would be compiled.
std::vector<std::string> print_program(const ir::Graph& graph, const CompileOptions& options);

// Passes, plan, C, machine code. BackendError if there is no working compiler.
std::shared_ptr<const Program> compile_program(ir::Graph graph,
                                               const std::filesystem::path& cache_folder,
                                               const CompileOptions& options);

}  // namespace tenon::backends

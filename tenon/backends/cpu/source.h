// A plan as C: constants, kernels, and the entry that runs the steps.
#pragma once
#include "tenon/backends/backend.h"
#include "tenon/schedule/plan.h"

namespace tenon::backends {

struct Source {
  // Files to compile and link together; the entry is in the first. A large plan has several, so
  // that they can be compiled side by side.
  std::vector<std::string> files;
  // Constants too large for the text: plan constant number of each entry of
  // TenonRuntime::constants.
  std::vector<std::uint32_t> passed_constants;
  std::vector<LaunchInfo> launches;  // if they are marked
  bool uses_threads = false;         // calls TenonRuntime::parallel
};

struct SourceOptions {
  bool marks = false;            // each launch is followed by TenonRuntime::mark
  bool is_all_parallel = false;  // every kernel of several instances runs on several threads
  kernel::KernelOptions kernels{};
};

// Which kernels run on several threads is decided by their estimated cost, never by measuring, so
// that equal graphs have equal texts.
Source print_source(const schedule::Plan& plan, const SourceOptions& options = {});

}  // namespace tenon::backends

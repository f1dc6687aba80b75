// Runs of a compiled step on the processor: its workspace, its threads, the times of its launches.
#pragma once
#include <memory>
#include <span>

#include "tenon/backends/backend.h"
#include "tenon/backends/cpu/program.h"
#include "tenon/base/aligned_memory.h"
#include "tenon/base/thread_pool.h"

namespace tenon::backends {

// Workspace of one step, or of all that never run at the same time: what is in it is of no use to
// the next run.
class Workspace {
 public:
  // UserError if there is no such memory.
  void reserve(std::int64_t bytes);
  std::byte* data() const { return memory_.get(); }

 private:
  AlignedMemory memory_;
  std::int64_t bytes_ = 0;
};

// `state` as the program's signature has it; null `pool`: the program uses no threads.
std::unique_ptr<Step> make_cpu_step(std::shared_ptr<const Program> program,
                                    std::shared_ptr<ThreadPool> pool,
                                    std::shared_ptr<Workspace> workspace,
                                    std::span<Buffer* const> state);

}  // namespace tenon::backends

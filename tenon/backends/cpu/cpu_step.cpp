#include "tenon/backends/cpu/cpu_step.h"

#include <chrono>

#include "tenon/backends/host_buffer.h"
#include "tenon/base/flush_to_zero.h"

namespace tenon::backends {

namespace {

// When the launches of a run ended. A launch begins when the one before it ends.
struct LaunchClock {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin, last;
  std::vector<LaunchTime> times;
  std::vector<LaunchEvent> events;

  static double seconds(Clock::duration time) {
    return std::chrono::duration<double>(time).count();
  }
  void start() {
    events.clear();
    begin = last = Clock::now();
  }
  void mark(std::uint32_t launch) {
    const Clock::time_point now = Clock::now();
    times[launch].calls += 1;
    times[launch].seconds += seconds(now - last);
    events.push_back({launch, seconds(last - begin), seconds(now - begin)});
    last = Clock::now();
  }
};

struct RunContext {
  ThreadPool* pool = nullptr;
  LaunchClock clock;
};

void mark_launch(const codegen::TenonRuntime* runtime, std::uint32_t launch) {
  static_cast<RunContext*>(runtime->context)->clock.mark(launch);
}

void run_on_pool(const codegen::TenonRuntime* runtime, codegen::KernelFunction kernel,
                 void* const* arguments, std::int64_t grid) {
  struct Job {
    codegen::KernelFunction kernel;
    void* const* arguments;
  } job{kernel, arguments};
  static_cast<RunContext*>(runtime->context)
      ->pool->parallel(
          grid,
          [](void* context, std::int64_t first, std::int64_t last) {
            const Job& work = *static_cast<Job*>(context);
            work.kernel(work.arguments, first, last);
          },
          &job);
}

AlignedMemory allocate_arena(std::int64_t bytes) {
  AlignedMemory arena = allocate_aligned(static_cast<std::size_t>(bytes), kTensorAlignment);
  require(arena != nullptr, "out of memory: the step needs {} bytes for intermediate values",
          bytes);
  return arena;
}

class CpuStep final : public Step {
 public:
  CpuStep(std::shared_ptr<const Program> program, std::shared_ptr<ThreadPool> pool,
          std::shared_ptr<Workspace> workspace, std::span<Buffer* const> state)
      : program_(std::move(program)),
        pool_(std::move(pool)),
        workspace_(std::move(workspace)),
        inputs_(program_->signature.inputs.size()),
        results_(program_->signature.results.size()) {
    workspace_->reserve(program_->memory.arena);
    for (Buffer* buffer : state) state_.push_back(host_tensor(*buffer).bytes().data());
    runtime_.version = codegen::kRuntimeVersion;
    runtime_.threads = pool_ != nullptr ? static_cast<std::uint32_t>(pool_->threads()) : 1;
    context_.pool = pool_.get();
    context_.clock.times.resize(program_->launches.size());
    runtime_.context = &context_;
    runtime_.mark = mark_launch;
    runtime_.parallel = run_on_pool;
    runtime_.constants = program_->constant_pointers.data();
  }

  Event run(std::span<Buffer* const> inputs, std::span<Buffer> results) override {
    require_buffers("input", program_->signature.inputs, inputs);
    take(inputs, results);
    const FlushToZero flush;
    run_once();
    return {};
  }
  Event run_many(std::span<Buffer* const> inputs, std::size_t moving, std::int64_t count,
                 std::span<Buffer> results) override {
    const std::span<const Signature::Entry> entries = program_->signature.inputs;
    require_inputs_of_many(entries, inputs, moving, count);
    take(inputs, results);
    const auto* const first = static_cast<const std::byte*>(inputs_[moving]);
    const std::int64_t bytes = byte_size(entries[moving].type);
    const FlushToZero flush;
    for (std::int64_t i = 0; i < count; ++i) {
      inputs_[moving] = first + i * bytes;
      run_once();
    }
    return {};
  }
  std::span<const LaunchTime> launch_times() const override { return context_.clock.times; }
  std::span<const LaunchEvent> last_launches() const override { return context_.clock.events; }

 private:
  void take(std::span<Buffer* const> inputs, std::span<Buffer> results) {
    workspace_->reserve(program_->memory.arena);  // of no effect unless another step found no room
    prepare_results(program_->signature, results);
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs_[i] = host_data(*inputs[i]);
    for (std::size_t i = 0; i < results.size(); ++i)
      results_[i] = host_tensor(results[i]).bytes().data();
  }
  void run_once() {
    if (!program_->launches.empty()) context_.clock.start();
    const int status = program_->step(&runtime_, state_.data(), inputs_.data(), results_.data(),
                                      workspace_->data());
    check(status == 0, "the compiled step returned {}", status);
  }

  std::shared_ptr<const Program> program_;
  std::shared_ptr<ThreadPool> pool_;
  std::shared_ptr<Workspace> workspace_;
  codegen::TenonRuntime runtime_{};
  RunContext context_;
  std::vector<void*> state_;
  std::vector<const void*> inputs_;
  std::vector<void*> results_;
};

}  // namespace

void Workspace::reserve(std::int64_t bytes) {
  if (bytes <= bytes_) return;
  memory_.reset();
  bytes_ = 0;
  memory_ = allocate_arena(bytes);
  bytes_ = bytes;
}

std::unique_ptr<Step> make_cpu_step(std::shared_ptr<const Program> program,
                                    std::shared_ptr<ThreadPool> pool,
                                    std::shared_ptr<Workspace> workspace,
                                    std::span<Buffer* const> state) {
  return std::make_unique<CpuStep>(std::move(program), std::move(pool), std::move(workspace),
                                   state);
}

}  // namespace tenon::backends

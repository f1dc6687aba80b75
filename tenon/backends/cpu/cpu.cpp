#include "tenon/backends/cpu/cpu.h"

#include <chrono>
#include <mutex>
#include <thread>

#include "tenon/backends/cpu/cpu_step.h"
#include "tenon/backends/cpu/program.h"
#include "tenon/backends/host_buffer.h"
#include "tenon/base/environment.h"
#include "tenon/base/free_memory.h"
#include "tenon/base/interruption.h"
#include "tenon/ir/print.h"

namespace tenon::backends {

namespace {

// Compiles; what graphs and texts took meanwhile goes back to the system: some MiB.
std::shared_ptr<const Program> compile_and_tidy(ir::Graph graph,
                                                const std::filesystem::path& cache_folder,
                                                const CompileOptions& options) {
  std::shared_ptr<const Program> program = compile_program(std::move(graph), cache_folder, options);
  return_freed_memory();
  return program;
}

class CpuExecutable final : public Executable {
 public:
  CpuExecutable(std::shared_ptr<const Program> program, std::shared_ptr<ThreadPool> pool,
                std::shared_ptr<Workspace> shared, const CompileReport& report)
      : program_(std::move(program)),
        pool_(std::move(pool)),
        shared_(std::move(shared)),
        report_(report) {}

  std::unique_ptr<Step> bind(std::span<Buffer* const> state) override {
    const std::vector<Signature::Entry> entries = program_->signature.state.unpacked();
    require_buffers("state", entries, state);
    std::map<const Buffer*, std::size_t> seen;
    for (std::size_t i = 0; i < state.size(); ++i) {
      const auto [other, is_new] = seen.try_emplace(state[i], i);
      require(is_new, "state {} (\"{}\") and state {} (\"{}\") are the same buffer", other->second,
              entries[other->second].name, i, entries[i].name);
    }
    return make_cpu_step(program_, pool_,
                         shared_ != nullptr ? shared_ : std::make_shared<Workspace>(), state);
  }
  const MemoryReport& memory() const override { return program_->memory; }
  const CompileReport& report() const override { return report_; }
  std::string text(std::string_view stage) const override {
    const auto found = program_->texts.find(stage);
    return found == program_->texts.end() ? std::string() : found->second;
  }
  std::span<const LaunchInfo> launches() const override { return program_->launches; }

 private:
  std::shared_ptr<const Program> program_;
  std::shared_ptr<ThreadPool> pool_;
  std::shared_ptr<Workspace> shared_;  // null: each step has its own
  CompileReport report_;
};

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const BackendOptions& options)
      : threads_(environment::thread_count(options.threads)),
        cache_folder_(options.cache_folder.empty() ? environment::cache_folder()
                                                   : std::filesystem::path(options.cache_folder)),
        workspace_(options.has_overlapping_runs ? nullptr : std::make_shared<Workspace>()) {}

  std::string_view name() const override { return "cpu"; }
  Buffer allocate(const BufferType& type) override { return allocate_host_buffer(type); }
  Buffer adopt(HostTensor value) override { return adopt_host_buffer(std::move(value)); }
  Event write(Buffer& buffer, const HostView& from) override {
    write_host_buffer(buffer, from);
    return {};
  }
  Event lend(Buffer& buffer, const HostView& from) override {
    lend_host_buffer(buffer, from);
    return {};
  }
  Event read(const Buffer& buffer, const HostSpan& to) override {
    read_host_buffer(buffer, to);
    return {};
  }

  std::unique_ptr<Executable> compile(ir::Graph graph, const CompileOptions& options) override {
    const auto start = std::chrono::steady_clock::now();
    CompileReport report;
    std::shared_ptr<const Program> program;
    if (options.profile || !options.skip.empty()) {
      program = compile_and_tidy(std::move(graph), cache_folder_, options);
      report = program->report;
    } else {
      const std::shared_ptr<Slot> slot =
          find_slot(options.digest.empty() ? ir::digest(graph) : options.digest);
      const std::unique_lock lock = locked(slot->mutex);
      program = slot->program.lock();
      if (program == nullptr || (options.keep_texts && program->texts.empty())) {
        program = compile_and_tidy(std::move(graph), cache_folder_, options);
        slot->program = program;
        report = program->report;
      } else {
        report = program->report;
        report.was_cached = true;
        report.compiler_seconds = 0;
        report.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      }
    }
    const int threads = options.threads > 0 ? options.threads : threads_;
    std::shared_ptr<ThreadPool> pool = program->uses_threads ? find_pool(threads) : nullptr;
    return std::make_unique<CpuExecutable>(std::move(program), std::move(pool), workspace_, report);
  }
  StepMemory plan(const ir::Graph& graph, const CompileOptions& options) override {
    return plan_program_memory(graph, options);
  }

 private:
  // Of one graph; compiled by the first who asks while others wait, forgotten with its last user.
  struct Slot {
    std::mutex mutex;
    std::weak_ptr<const Program> program;
  };

  // Whoever waits for another thread's compile can be interrupted.
  static std::unique_lock<std::mutex> locked(std::mutex& mutex) {
    if (!InterruptionScope::is_open()) return std::unique_lock(mutex);
    std::unique_lock lock(mutex, std::try_to_lock);
    while (!lock.owns_lock()) {
      interruption_point();
      std::this_thread::sleep_for(kInterruptionPatience);
      lock = std::unique_lock(mutex, std::try_to_lock);
    }
    return lock;
  }

  std::shared_ptr<Slot> find_slot(const std::string& digest) {
    const std::lock_guard lock(mutex_);
    if (const auto found = slots_.find(digest); found != slots_.end()) return found->second;
    std::erase_if(slots_, [](const auto& item) { return is_forgotten(item.second); });
    return slots_.emplace(digest, std::make_shared<Slot>()).first->second;
  }

  // Nobody holds the slot or its program.
  static bool is_forgotten(const std::shared_ptr<Slot>& slot) {
    const std::unique_lock lock(slot->mutex, std::try_to_lock);
    return lock && slot.use_count() == 1 && slot->program.expired();
  }

  // Executables of equally many threads share one pool.
  std::shared_ptr<ThreadPool> find_pool(int threads) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<ThreadPool>& known = pools_[threads];
    std::shared_ptr<ThreadPool> pool = known.lock();
    if (pool == nullptr) known = pool = std::make_shared<ThreadPool>(threads);
    return pool;
  }

  const int threads_;
  const std::filesystem::path cache_folder_;
  const std::shared_ptr<Workspace> workspace_;  // of all steps, if their runs do not overlap
  std::mutex mutex_;                            // of what follows
  std::unordered_map<std::string, std::shared_ptr<Slot>> slots_;  // by the digests of graphs
  std::map<int, std::weak_ptr<ThreadPool>> pools_;
};

}  // namespace

std::unique_ptr<Backend> open_cpu(const BackendOptions& options) {
  return std::make_unique<CpuBackend>(options);
}

}  // namespace tenon::backends

#include "tenon/base/thread_pool.h"

#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include "tenon/base/cpu_info.h"
#include "tenon/base/error.h"
#include "tenon/base/flush_to_zero.h"

namespace tenon {

namespace {

constexpr std::size_t kCacheLine = 64;
// More than one chunk per thread lets the fast threads help the slow ones.
constexpr std::int64_t kChunksPerThread = 4;

void pause_core() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until the condition holds (true) or the time is over (false).
template <class Condition>
bool spin_until(std::chrono::microseconds time, const Condition& condition) {
  if (condition()) return true;
  if (time.count() == 0) return false;
  const auto end = std::chrono::steady_clock::now() + time;
  do {
    for (int i = 0; i < 32; ++i) {
      if (condition()) return true;
      pause_core();
    }
  } while (std::chrono::steady_clock::now() < end);
  return condition();
}

}  // namespace

// A job's chunks are dealt out as one contiguous share per thread; a thread that has finished its
// share goes on with the others'. Taking a chunk means lowering a share's `remaining` from a value
// above zero; whoever does that pins the job, because the job ends only when `pending` reaches
// zero. A thread that wakes late finds every share empty and touches nothing else, so parallel()
// never waits for threads that sleep.
struct ThreadPool::State {
  struct alignas(kCacheLine) Share {
    std::atomic<std::int64_t> remaining = 0;
    std::int64_t end = 0;  // chunks of this share: end - remaining ... end - 1
  };

  State(int thread_count, std::chrono::microseconds spin_time)
      : spin(spin_time), shares(static_cast<std::size_t>(thread_count)) {}

  void run_chunks(std::size_t first_share) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[(first_share + i) % shares.size()];
      std::int64_t remaining = share.remaining.load(std::memory_order_relaxed);
      while (remaining > 0) {
        if (!share.remaining.compare_exchange_weak(
                remaining, remaining - 1, std::memory_order_acq_rel, std::memory_order_relaxed))
          continue;
        const std::int64_t chunk = share.end - remaining;
        work(context, first_instance(chunk), first_instance(chunk + 1));
        if (pending.fetch_sub(1) == 1 && is_caller_asleep.load()) pending.notify_one();
        remaining = share.remaining.load(std::memory_order_relaxed);
      }
    }
  }

  // chunk * grid / chunks without overflow.
  std::int64_t first_instance(std::int64_t chunk) const {
    return chunk * (grid / chunks) + chunk * (grid % chunks) / chunks;
  }

  void run_worker(std::size_t number) {
    const FlushToZero flush;
    std::uint32_t seen = 0;
    for (;;) {
      const auto has_news = [&] { return epoch.load(std::memory_order_acquire) != seen; };
      if (!spin_until(spin, has_news)) {
        sleepers.fetch_add(1);
        while (!has_news()) epoch.wait(seen);
        sleepers.fetch_sub(1);
      }
      seen = epoch.load(std::memory_order_acquire);
      if (is_stopping.load(std::memory_order_acquire)) return;
      run_chunks(number);
    }
  }

  void announce() {
    epoch.fetch_add(1);
    if (sleepers.load() > 0) epoch.notify_all();
  }

  void stop() {
    is_stopping.store(true, std::memory_order_release);
    announce();
    for (std::thread& thread : threads) thread.join();
  }

  const std::chrono::microseconds spin;
  std::vector<Share> shares;
  std::vector<std::thread> threads;

  // Written by the caller before the shares are filled.
  Work work = nullptr;
  void* context = nullptr;
  std::int64_t grid = 0;
  std::int64_t chunks = 1;

  alignas(kCacheLine) std::atomic<std::uint32_t> epoch = 0;  // counts jobs; what idle threads watch
  std::atomic<int> sleepers = 0;
  std::atomic<bool> is_stopping = false;
  alignas(kCacheLine) std::atomic<int> pending = 0;  // chunks not yet done
  std::atomic<bool> is_caller_asleep = false;
  alignas(kCacheLine) std::atomic<bool> is_busy = false;
};

ThreadPool::ThreadPool(int threads, std::chrono::microseconds spin) {
  require(threads >= 1 && threads <= 1024, "a thread pool needs from 1 to 1024 threads, not {}",
          threads);
  if (threads > usable_cores()) spin = {};
  state_ = std::make_unique<State>(threads, spin);
  try {
    for (int i = 1; i < threads; ++i)
      state_->threads.emplace_back(
          [state = state_.get(), i] { state->run_worker(static_cast<std::size_t>(i)); });
  } catch (const std::system_error& error) {
    state_->stop();
    throw UserError(fmt::format("cannot start thread {} of {}: {}\n  help: ask for fewer threads",
                                state_->threads.size() + 2, threads, error.code().message()));
  }
}

ThreadPool::~ThreadPool() { state_->stop(); }

int ThreadPool::threads() const { return static_cast<int>(state_->shares.size()); }

void ThreadPool::parallel(std::int64_t grid, Work work, void* context) {
  if (grid <= 0) return;
  State& state = *state_;
  if (grid == 1 || state.shares.size() == 1 ||
      state.is_busy.exchange(true, std::memory_order_acquire)) {
    work(context, 0, grid);
    return;
  }
  const auto thread_count = static_cast<std::int64_t>(state.shares.size());
  state.work = work;
  state.context = context;
  state.grid = grid;
  state.chunks = std::min(grid, thread_count * kChunksPerThread);
  state.pending.store(static_cast<int>(state.chunks), std::memory_order_relaxed);
  for (std::int64_t i = 0; i < thread_count; ++i)
    state.shares[static_cast<std::size_t>(i)].end = (i + 1) * state.chunks / thread_count;
  std::int64_t begin = 0;
  for (State::Share& share : state.shares) {
    const std::int64_t end = share.end;
    share.remaining.store(end - begin, std::memory_order_release);
    begin = end;
  }
  state.announce();
  state.run_chunks(0);
  const auto is_done = [&] { return state.pending.load(std::memory_order_acquire) == 0; };
  if (!spin_until(state.spin, is_done)) {
    state.is_caller_asleep.store(true);
    for (int left = state.pending.load(); left != 0; left = state.pending.load())
      state.pending.wait(left);
    state.is_caller_asleep.store(false, std::memory_order_relaxed);
  }
  state.is_busy.store(false, std::memory_order_release);
}

}  // namespace tenon

// Threads that share the instances of a grid; made for work of some microseconds.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>

namespace tenon {

// A pool of `threads` threads, the caller of parallel() included: one thread means none is
// started. Idle threads spin for a while before they sleep, so that a step which calls parallel()
// again and again pays about a microsecond each time.
class ThreadPool {
 public:
  // Handles [first, last) of the grid; must not raise.
  using Work = void (*)(void* context, std::int64_t first, std::int64_t last);

  // UserError unless 1 <= threads <= 1024, or if the system refuses a thread. Threads beyond the
  // usable cores make all of them sleep at once, since spinning would take the place of work.
  explicit ThreadPool(int threads, std::chrono::microseconds spin = std::chrono::microseconds(300));
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  // Calls work on ranges that cover [0, grid) once, and returns when all are done. Which thread
  // runs which range is not fixed. Safe from several threads and from inside `work`: a call that
  // finds the pool busy does everything itself. Allocates nothing.
  void parallel(std::int64_t grid, Work work, void* context);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenon

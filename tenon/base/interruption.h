// Work that takes long asks, at points within it, whether it is still wanted; this ends it if not.
#pragma once
#include <chrono>
#include <exception>
#include <functional>

namespace tenon {

// What an interruption point throws. No Error: nothing has failed, and whoever opened the scope
// wanted it; it is caught there.
class Interrupted final : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted, as the caller asked"; }
};

// While one lives, work of the thread that made it can be interrupted. A scope within another one
// is interrupted by either. Destroyed in the reverse order of making, by the same thread.
class InterruptionScope {
 public:
  // `is_wanted`: whether to interrupt; called by this thread at interruption points, at the first
  // one and then at most every few milliseconds.
  explicit InterruptionScope(std::function<bool()> is_wanted);
  ~InterruptionScope();
  InterruptionScope(const InterruptionScope&) = delete;
  InterruptionScope& operator=(const InterruptionScope&) = delete;

  // Whether this thread is in one.
  static bool is_open();

 private:
  friend void interruption_point();
  using Clock = std::chrono::steady_clock;

  std::function<bool()> is_wanted_;
  InterruptionScope* outer_;
  Clock::time_point asked_{};
};

// How long whoever waits within a scope may do so between two interruption points.
inline constexpr std::chrono::milliseconds kInterruptionPatience(50);

// Throws Interrupted if a scope that this thread is in wants it. Costs a look at the clock, and
// nothing to speak of outside scopes. Whoever calls it holds what it has half made in objects that
// a throw destroys.
void interruption_point();

}  // namespace tenon

#include "tenon/base/interruption.h"

#include <utility>

namespace tenon {

namespace {

constexpr std::chrono::milliseconds kBetweenQuestions(5);

thread_local InterruptionScope* innermost = nullptr;

}  // namespace

InterruptionScope::InterruptionScope(std::function<bool()> is_wanted)
    : is_wanted_(std::move(is_wanted)), outer_(std::exchange(innermost, this)) {}

InterruptionScope::~InterruptionScope() { innermost = outer_; }

bool InterruptionScope::is_open() { return innermost != nullptr; }

void interruption_point() {
  if (innermost == nullptr) [[likely]]
    return;
  const auto now = InterruptionScope::Clock::now();
  if (now - innermost->asked_ < kBetweenQuestions) return;
  innermost->asked_ = now;
  for (InterruptionScope* scope = innermost; scope != nullptr; scope = scope->outer_) {
    if (!scope->is_wanted_()) continue;
    innermost->asked_ = {};  // for whatever is begun after all
    throw Interrupted();
  }
}

}  // namespace tenon

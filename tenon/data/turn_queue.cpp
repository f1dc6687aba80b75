#include "tenon/data/turn_queue.h"

#include <utility>

namespace tenon::data {

void TurnQueue::reserve(std::size_t count) {
  if (count <= slots_.size()) return;
  std::vector<std::optional<Turn>> larger(count);
  for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move((*this)[i]);
  slots_ = std::move(larger);
  first_ = 0;
}

void TurnQueue::push(std::size_t count) {
  if (count_ + count > slots_.size()) reserve(2 * (count_ + count));
  count_ += count;
}

std::optional<Turn> TurnQueue::pop() {
  std::optional<Turn> turn = std::exchange(slots_[first_], std::nullopt);
  first_ = (first_ + 1) % slots_.size();
  --count_;
  return turn;
}

}  // namespace tenon::data

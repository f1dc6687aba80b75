// TurnQueue: what a pass gives turn by turn, made or still in the making, in the pass's order.
#pragma once
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tenon/data/row_run.h"

namespace tenon::data {

// A turn that is done: a batch of rows, or a sample that was made, left out, or failed.
struct Turn {
  std::int64_t rows = 0;       // of the batch; 0: one sample
  std::optional<Batch> batch;  // of rows
  SamplePlace place;
  std::function<std::string()> origin;  // of the sample
  std::optional<Sample> sample;
  std::exception_ptr error;
};

// First in, first out, in memory that is used again.
class TurnQueue {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  // The i-th of those that are in it; nothing while it is not made.
  std::optional<Turn>& operator[](std::size_t i) { return slots_[(first_ + i) % slots_.size()]; }
  const std::optional<Turn>& front() const { return slots_[first_]; }
  void reserve(std::size_t count);
  void push(std::size_t count);  // turns that are not made yet
  std::optional<Turn> pop();

 private:
  std::vector<std::optional<Turn>> slots_;
  std::size_t first_ = 0, count_ = 0;
};

}  // namespace tenon::data

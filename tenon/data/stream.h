// Batches from a generator without keeping its samples: datasets of unknown or endless size.
#pragma once
#include <functional>
#include <string>

#include "tenon/data/batches.h"
#include "tenon/data/memory.h"

namespace tenon::data {

// Input iterator: the batch it gives is overwritten by the next one.
class StreamIterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  StreamIterator() = default;
  // UserError for a batch size below 1. The first batch is made here.
  StreamIterator(Generator generator, std::int64_t batch_size, bool drop_remainder);

  Batch& operator*() const;
  Batch* operator->() const { return &**this; }
  StreamIterator& operator++();
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// `open` starts a pass over the samples; it is called once for every pass.
class StreamDataset {
 public:
  explicit StreamDataset(std::function<Generator()> open) : open_(std::move(open)) {}

  struct Batches {
    std::function<Generator()> open;
    std::int64_t batch_size;
    bool drop_remainder;
    StreamIterator begin() const { return {open(), batch_size, drop_remainder}; }
    std::default_sentinel_t end() const { return {}; }
  };
  // Samples in the generator's order; `indices` counts them from 0. Iterating raises UserError for
  // samples of unequal types.
  Batches batches(std::int64_t batch_size, bool drop_remainder = false) const {
    return {open_, batch_size, drop_remainder};
  }

 private:
  std::function<Generator()> open_;
};

}  // namespace tenon::data

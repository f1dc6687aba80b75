// Batches made ahead of time by background threads, in an order that no thread count changes.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "tenon/data/dataset.h"

namespace tenon::data {

struct PrefetchOptions {
  int depth = 4;    // batches made ahead, at most
  int threads = 1;  // that make them
  std::int64_t epochs = 1;
  std::int64_t first_batch = 0;  // of the first epoch: where an interrupted run goes on
  // Changes a batch after it is filled (augmentation, say); called by several threads at once. The
  // second argument counts batches from the start of epoch 0.
  std::function<void(Batch&, std::uint64_t)> transform = {};
};

// Owns its threads and buffers. Once every buffer has been used for a full and for a short batch,
// making batches allocates nothing.
class Prefetcher {
 public:
  // Epochs count from batch_options.epoch. UserError for options below their least values.
  Prefetcher(Dataset dataset, std::int64_t batch_size, const BatchOptions& batch_options = {},
             PrefetchOptions options = {});
  ~Prefetcher();  // at any time: batches that were not taken are dropped
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  std::int64_t batches_per_epoch() const;

  // The next batch, valid until the next call; null after the last. What making it threw is thrown
  // here, in its turn; after that there are no more batches. For one consumer.
  Batch* next();

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace tenon::data

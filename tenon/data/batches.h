// Batches of a dataset: which samples each holds, and iteration over them.
#pragma once
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/data/array.h"

namespace tenon::data {

class Dataset;

struct Batch {
  HostTensor x;
  HostTensor y;                       // f32[0] if the dataset has no labels
  std::vector<std::int64_t> indices;  // of the samples in the dataset
  HostTensor weights = {};            // f32 [size]; f32[0] if the dataset has none

  std::int64_t size() const { return static_cast<std::int64_t>(indices.size()); }
};

struct BatchOptions {
  bool shuffle = false;
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;      // another order for every epoch
  bool drop_remainder = false;  // leave out the last batch if it is short
};

// Number of batches in an epoch. UserError for a batch size below 1 or a negative size.
std::int64_t batch_count(std::int64_t size, std::int64_t batch_size, bool drop_remainder);

// Makes `batch` hold these samples. Memory of the batch is kept where the types fit.
void fill_batch(const Dataset& dataset, std::span<const std::int64_t> indices, Batch& batch);

// Input iterator: the batch it gives is overwritten by the next one.
class BatchIterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  BatchIterator() = default;
  Batch& operator*() const;
  Batch* operator->() const { return &**this; }
  BatchIterator& operator++();
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const;

 private:
  friend class Batches;
  struct State;
  std::shared_ptr<State> state_;
};

// The batches of one epoch; keeps the dataset alive.
class Batches {
 public:
  Batches(const Dataset& dataset, std::int64_t batch_size, const BatchOptions& options);

  std::int64_t size() const { return count_; }
  BatchIterator begin() const;
  std::default_sentinel_t end() const { return {}; }

 private:
  std::shared_ptr<const Dataset> dataset_;
  std::int64_t batch_size_;
  BatchOptions options_;
  std::int64_t count_;
};

}  // namespace tenon::data

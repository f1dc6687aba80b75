// Samples sorted into buckets by length, so that the samples of a batch need little padding.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "tenon/data/memory.h"

namespace tenon::data {

// A sample goes to the first bucket whose bound its length does not exceed. A bucket that is full
// is the next batch; those that are left at the end follow in the order of their bounds.
struct Buckets {
  std::vector<std::int64_t> bounds;  // ascending; x is padded to the bound along the length's axis
  std::vector<std::int64_t> batch_sizes = {};  // of each bucket; empty: the same for all
  bool leave_out_longer = false;  // samples beyond the last bound; else they are a UserError
  std::size_t axis = 0;           // of x that is the length; y is padded too if it is as long there
};

// The bucket of samples of this length; none if they are longer than the last bound.
std::optional<std::size_t> bucket_of(const Buckets& buckets, std::int64_t length);
// Whether y is padded with x: it is as long along the axis.
bool is_padded_alike(const Shape& x, const Shape& y, std::size_t axis);

struct BucketBatch {
  std::vector<Sample> samples;
  std::vector<std::int64_t> indices;
  std::int64_t bound = 0;
};

class BucketSorter {
 public:
  // UserError unless there are bounds, ascending from 0 or more, and one batch size of at least 1
  // for each.
  BucketSorter(Buckets buckets, std::int64_t batch_size);

  // The batch that the sample made full, if it did. UserError for a sample without the axis, and
  // for one that is too long unless those are left out.
  std::optional<BucketBatch> add(Sample sample, std::int64_t index);
  // What is left, one bucket after the other; nothing after the last.
  std::optional<BucketBatch> flush();

  std::size_t axis() const { return buckets_.axis; }

 private:
  BucketBatch take(std::size_t bucket);
  Buckets buckets_;
  std::vector<BucketBatch> open_;
};

}  // namespace tenon::data

#include "tenon/data/bucket.h"

#include <algorithm>
#include <utility>

namespace tenon::data {

std::optional<std::size_t> bucket_of(const Buckets& buckets, std::int64_t length) {
  const auto found = std::ranges::lower_bound(buckets.bounds, length);
  if (found == buckets.bounds.end()) return std::nullopt;
  return static_cast<std::size_t>(found - buckets.bounds.begin());
}

bool is_padded_alike(const Shape& x, const Shape& y, std::size_t axis) {
  return y.size() > axis && y[axis] == x[axis];
}

BucketSorter::BucketSorter(Buckets buckets, std::int64_t batch_size)
    : buckets_(std::move(buckets)) {
  const std::vector<std::int64_t>& bounds = buckets_.bounds;
  require(!bounds.empty(), "buckets: no bounds");
  for (std::size_t i = 0; i < bounds.size(); ++i)
    require(bounds[i] >= 0 && (i == 0 || bounds[i] > bounds[i - 1]),
            "buckets: bound {} is {}; ascending bounds from 0 on expected", i, bounds[i]);
  if (buckets_.batch_sizes.empty()) buckets_.batch_sizes.assign(bounds.size(), batch_size);
  require(buckets_.batch_sizes.size() == bounds.size(), "buckets: {} batch sizes for {} bounds",
          buckets_.batch_sizes.size(), bounds.size());
  for (const std::int64_t size : buckets_.batch_sizes)
    require(size >= 1, "buckets: a batch size of {}; at least 1 is needed", size);
  open_.resize(bounds.size());
}

BucketBatch BucketSorter::take(std::size_t bucket) {
  BucketBatch batch = std::exchange(open_[bucket], {});
  batch.bound = buckets_.bounds[bucket];
  return batch;
}

std::optional<BucketBatch> BucketSorter::add(Sample sample, std::int64_t index) {
  const Shape& shape = sample.x.shape();
  require(buckets_.axis < shape.size(), "buckets: x of sample {} is {}; it has no axis {}", index,
          sample.x.type(), buckets_.axis);
  const std::int64_t length = shape[buckets_.axis];
  const std::optional<std::size_t> found = bucket_of(buckets_, length);
  if (!found) {
    require(buckets_.leave_out_longer,
            "buckets: sample {} is {} long, longer than the last bound, {}", index, length,
            buckets_.bounds.back());
    return std::nullopt;
  }
  BucketBatch& bucket = open_[*found];
  bucket.samples.push_back(std::move(sample));
  bucket.indices.push_back(index);
  if (std::cmp_less(bucket.samples.size(), buckets_.batch_sizes[*found])) return std::nullopt;
  return take(*found);
}

std::optional<BucketBatch> BucketSorter::flush() {
  for (std::size_t i = 0; i < open_.size(); ++i)
    if (!open_[i].samples.empty()) return take(i);
  return std::nullopt;
}

}  // namespace tenon::data

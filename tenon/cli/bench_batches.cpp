#include "tenon/cli/bench_batches.h"

#include <algorithm>

#include "tenon/data/epoch_order.h"

namespace tenon::cli {
namespace {

std::int64_t sample_bytes(const data::Dataset& dataset) {
  std::size_t bytes = dataset.x().row_bytes() + sizeof(std::int64_t);
  if (dataset.has_y()) bytes += dataset.y().row_bytes();
  if (dataset.has_weights()) bytes += dataset.weights().row_bytes();
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

BenchBatches::BenchBatches(const data::Dataset& dataset, std::int64_t batch_size,
                           const BatchOrder& order, std::int64_t ordered, std::int64_t most_bytes)
    : dataset_(dataset), batch_size_(batch_size), ordered_(ordered), order_(order) {
  require(dataset.size() >= batch_size,
          "{} has {} samples, fewer than a batch of {}; say less by --batch-size", dataset.name(),
          dataset.size(), batch_size);
  in_pass_ = data::batch_count(dataset.size(), batch_size, true);
  samples_ = data::epoch_order(dataset.size(), order.seed, 0, order.shuffle);
  const std::int64_t most = most_bytes / sample_bytes(dataset) / batch_size;
  kept_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(most, 1, in_pass_)));
  for (std::size_t i = 0; i < kept_.size(); ++i) fill(kept_[i], 0, static_cast<std::int64_t>(i));
  fill(made_, 0, 0);  // its memory is there before the steps
}

void BenchBatches::fill(data::Batch& batch, std::int64_t pass, std::int64_t place) {
  if (pass != pass_)
    data::fill_epoch_order(samples_, order_.seed, static_cast<std::uint64_t>(pass), order_.shuffle);
  pass_ = pass;
  const auto size = static_cast<std::size_t>(batch_size_);
  data::fill_batch(
      dataset_, std::span(samples_).subspan(static_cast<std::size_t>(place) * size, size), batch);
}

const data::Batch& BenchBatches::at(std::int64_t step) {
  const auto kept = static_cast<std::int64_t>(kept_.size());
  if (step >= ordered_) return kept_[static_cast<std::size_t>(step % kept)];
  const std::int64_t pass = step / in_pass_, place = step % in_pass_;
  if (place < kept && (pass == 0 || !order_.shuffle)) return kept_[static_cast<std::size_t>(place)];
  fill(made_, pass, place);
  return made_;
}

}  // namespace tenon::cli

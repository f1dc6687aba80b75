#include "tenon/data/batches.h"

#include <algorithm>

#include "tenon/data/dataset.h"
#include "tenon/data/epoch_order.h"

namespace tenon::data {
namespace {

// Makes `tensor` of the array's type with `rows` rows; allocates only if it is not already.
void fit_rows(HostTensor& tensor, const Array& array, std::int64_t rows) {
  const Shape& wanted = array.type().shape;
  const Shape& present = tensor.shape();
  const bool fits = tensor.dtype() == array.dtype() && present.size() == wanted.size() &&
                    present.front() == rows &&
                    std::equal(present.begin() + 1, present.end(), wanted.begin() + 1);
  if (fits) return;
  TensorType type = array.type();
  type.shape.front() = rows;
  tensor = HostTensor(std::move(type));
}

}  // namespace

std::int64_t batch_count(std::int64_t size, std::int64_t batch_size, bool drop_remainder) {
  require(batch_size >= 1, "a batch size of {}; at least 1 is needed", batch_size);
  require(size >= 0, "batches of {} samples", size);
  return size / batch_size + (!drop_remainder && size % batch_size != 0 ? 1 : 0);
}

void fill_batch(const Dataset& dataset, std::span<const std::int64_t> indices, Batch& batch) {
  const auto rows = static_cast<std::int64_t>(indices.size());
  fit_rows(batch.x, dataset.x(), rows);
  dataset.x().gather(indices, batch.x.bytes().data());
  if (dataset.has_y()) {
    fit_rows(batch.y, dataset.y(), rows);
    dataset.y().gather(indices, batch.y.bytes().data());
  }
  if (dataset.has_weights()) {
    fit_rows(batch.weights, dataset.weights(), rows);
    dataset.weights().gather(indices, batch.weights.bytes().data());
  }
  if (batch.indices.data() != indices.data()) batch.indices.assign(indices.begin(), indices.end());
}

struct BatchIterator::State {
  std::shared_ptr<const Dataset> dataset;
  std::vector<std::int64_t> order;
  std::int64_t batch_size, count;
  std::int64_t current = 0;
  Batch batch;

  void fill() {
    if (current == count) return;
    const std::int64_t first = current * batch_size;
    const std::int64_t rows = std::min(batch_size, dataset->size() - first);
    fill_batch(
        *dataset,
        std::span(order).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)),
        batch);
  }
};

Batch& BatchIterator::operator*() const { return state_->batch; }

BatchIterator& BatchIterator::operator++() {
  ++state_->current;
  state_->fill();
  return *this;
}

bool BatchIterator::operator==(std::default_sentinel_t) const {
  return state_ == nullptr || state_->current == state_->count;
}

Batches::Batches(const Dataset& dataset, std::int64_t batch_size, const BatchOptions& options)
    : dataset_(std::make_shared<const Dataset>(dataset)),
      batch_size_(batch_size),
      options_(options),
      count_(batch_count(dataset.size(), batch_size, options.drop_remainder)) {}

BatchIterator Batches::begin() const {
  BatchIterator iterator;
  iterator.state_ = std::make_shared<BatchIterator::State>();
  BatchIterator::State& state = *iterator.state_;
  state.dataset = dataset_;
  state.order = epoch_order(dataset_->size(), options_.seed, options_.epoch, options_.shuffle);
  state.batch_size = batch_size_;
  state.count = count_;
  state.fill();
  return iterator;
}

}  // namespace tenon::data

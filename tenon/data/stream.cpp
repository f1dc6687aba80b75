#include "tenon/data/stream.h"

#include <cstring>

namespace tenon::data {
namespace {

TensorType batched(const HostTensor& sample, std::int64_t rows) {
  TensorType type = sample.type();
  type.shape.insert(type.shape.begin(), rows);
  return type;
}

// Copies the sample to row `row` of a tensor of `rows` rows; row 0 makes the tensor fit.
void put_row(HostTensor& tensor, const HostTensor& sample, std::int64_t row, std::int64_t rows,
             std::int64_t number) {
  const TensorType type = batched(sample, rows);
  if (row == 0 && tensor.type() != type) {
    require(number == 0, "a stream's sample {} is of another type: {} per batch, before {}", number,
            type, tensor.type());
    tensor = HostTensor(type);
  }
  require(tensor.type() == type, "a stream's sample {} is of another type: {} per batch, before {}",
          number, type, tensor.type());
  const std::size_t size = sample.bytes().size();
  if (size > 0)
    std::memcpy(tensor.bytes().data() + static_cast<std::size_t>(row) * size, sample.bytes().data(),
                size);
}

HostTensor first_rows(const HostTensor& tensor, std::int64_t rows) {
  TensorType type = tensor.type();
  type.shape.front() = rows;
  HostTensor part(std::move(type));
  if (!part.bytes().empty())
    std::memcpy(part.bytes().data(), tensor.bytes().data(), part.bytes().size());
  return part;
}

}  // namespace

struct StreamIterator::State {
  Generator generator;
  std::int64_t batch_size;
  bool drop_remainder;
  std::int64_t count = 0;  // samples so far
  bool ended = false;      // the generator
  Batch batch;

  void fill() {
    batch.indices.clear();
    while (!ended && batch.size() < batch_size) {
      const std::optional<Sample> sample = generator();
      ended = !sample.has_value();
      if (ended) break;
      put_row(batch.x, sample->x, batch.size(), batch_size, count);
      put_row(batch.y, sample->y, batch.size(), batch_size, count);
      batch.indices.push_back(count++);
    }
    if (batch.size() == batch_size || batch.size() == 0) return;
    if (drop_remainder) return batch.indices.clear();
    batch.x = first_rows(batch.x, batch.size());
    batch.y = first_rows(batch.y, batch.size());
  }
};

StreamIterator::StreamIterator(Generator generator, std::int64_t batch_size, bool drop_remainder) {
  require(batch_size >= 1, "a batch size of {}; at least 1 is needed", batch_size);
  require(static_cast<bool>(generator), "a stream's function is empty");
  state_ = std::make_shared<State>();
  state_->generator = std::move(generator);
  state_->batch_size = batch_size;
  state_->drop_remainder = drop_remainder;
  state_->fill();
}

Batch& StreamIterator::operator*() const { return state_->batch; }

StreamIterator& StreamIterator::operator++() {
  state_->fill();
  return *this;
}

bool StreamIterator::operator==(std::default_sentinel_t) const {
  return state_ == nullptr || state_->batch.size() == 0;
}

}  // namespace tenon::data

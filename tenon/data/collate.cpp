#include <algorithm>
#include <cstring>

#include "tenon/data/pipeline_batches.h"

namespace tenon::data {
namespace {

// One type that holds every sample; `what` is x or y.
TensorType batch_row_type(std::span<const Sample> samples, HostTensor Sample::*part, char what,
                          bool padded) {
  TensorType type = (samples.front().*part).type();
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const TensorType& other = (samples[i].*part).type();
    const bool fits =
        padded ? other.dtype == type.dtype && other.rank() == type.rank() : other == type;
    require(fits, "a batch: {} of sample {} is {}, that of sample 0 is {}{}", what, i, other,
            (samples.front().*part).type(),
            padded ? "; padding needs equal ranks and element types"
                   : "; padding can make extents equal");
    for (std::size_t axis = 0; axis < type.shape.size(); ++axis)
      type.shape[axis] = std::max(type.shape[axis], other.shape[axis]);
  }
  return type;
}

// Copies a tensor to the front corner of a larger one of equal rank.
void copy_corner(const std::byte* from, const Shape& small, std::byte* to, const Shape& large,
                 std::size_t axis, std::size_t element_bytes) {
  if (axis == small.size()) {
    std::memcpy(to, from, element_bytes);
    return;
  }
  const auto inner = [&](const Shape& shape) {
    std::size_t bytes = element_bytes;
    for (std::size_t i = axis + 1; i < shape.size(); ++i)
      bytes *= static_cast<std::size_t>(shape[i]);
    return bytes;
  };
  const std::size_t from_stride = inner(small), to_stride = inner(large);
  const auto count = static_cast<std::size_t>(small[axis]);
  if (from_stride == to_stride) {
    if (count * from_stride > 0) std::memcpy(to, from, count * from_stride);
    return;
  }
  for (std::size_t i = 0; i < count; ++i)
    copy_corner(from + i * from_stride, small, to + i * to_stride, large, axis + 1, element_bytes);
}

// `used` is a tensor whose memory is taken if it is of the type.
HostTensor stacked(std::span<const Sample> samples, HostTensor Sample::*part, char what,
                   const std::optional<double>& padding, HostTensor used = {},
                   const Shape& least = {}) {
  TensorType row = batch_row_type(samples, part, what, padding.has_value());
  for (std::size_t axis = 0; axis < std::min(least.size(), row.shape.size()); ++axis)
    row.shape[axis] = std::max(row.shape[axis], least[axis]);
  TensorType type = row;
  type.shape.insert(type.shape.begin(), static_cast<std::int64_t>(samples.size()));
  const bool fits = !padding && used.type() == type;
  HostTensor batch = fits ? std::move(used) : padding ? filled(type, *padding) : HostTensor(type);
  const std::size_t row_bytes = batch.bytes().size() / samples.size();
  const auto element_bytes = static_cast<std::size_t>(byte_size({row.dtype, {}}));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const HostTensor& sample = samples[i].*part;
    if (sample.size() > 0)
      copy_corner(sample.bytes().data(), sample.shape(), batch.bytes().data() + i * row_bytes,
                  row.shape, 0, element_bytes);
  }
  return batch;
}

}  // namespace

void collate_again(std::span<const Sample> samples, const std::optional<Padding>& padding,
                   Batch& batch) {
  require(!samples.empty(), "a batch of no samples");
  batch.x = stacked(samples, &Sample::x, 'x', padding ? std::optional(padding->x) : std::nullopt,
                    std::move(batch.x));
  batch.y = stacked(samples, &Sample::y, 'y', padding ? std::optional(padding->y) : std::nullopt,
                    std::move(batch.y));
  batch.indices.clear();
  for (std::size_t i = 0; i < samples.size(); ++i)
    batch.indices.push_back(static_cast<std::int64_t>(i));
}

Batch collate(std::span<const Sample> samples, const std::optional<Padding>& padding) {
  Batch batch;
  collate_again(samples, padding, batch);
  return batch;
}

Batch collate_to(std::span<const Sample> samples, const Padding& padding, const Shape& x,
                 const Shape& y) {
  require(!samples.empty(), "a batch of no samples");
  Batch batch;
  batch.x = stacked(samples, &Sample::x, 'x', padding.x, {}, x);
  batch.y = stacked(samples, &Sample::y, 'y', padding.y, {}, y);
  for (std::size_t i = 0; i < samples.size(); ++i)
    batch.indices.push_back(static_cast<std::int64_t>(i));
  return batch;
}

}  // namespace tenon::data

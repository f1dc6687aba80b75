// Shared, immutable rows: a host tensor seen as a list along its first axis, sliced without
// copying.
#pragma once
#include <memory>

#include "tenon/base/host_tensor.h"

namespace tenon::data {

// Copies share the tensor.
class Array {
 public:
  // UserError for a scalar: there must be a first axis.
  Array(HostTensor tensor);

  std::int64_t size() const { return type_.shape.front(); }  // rows
  const TensorType& type() const { return type_; }           // with the rows as first extent
  DType dtype() const { return type_.dtype; }
  Shape row_shape() const { return {type_.shape.begin() + 1, type_.shape.end()}; }
  std::size_t row_bytes() const { return row_bytes_; }

  // `count` rows from `first` on. UserError if they are not all there.
  Array rows(std::int64_t first, std::int64_t count) const;

  // Valid as long as any copy of this array lives.
  HostView view() const { return {type_, data()}; }
  HostTensor tensor() const { return copy_of(view()); }
  const std::byte* data() const {
    return tensor_->bytes().data() + static_cast<std::size_t>(first_) * row_bytes_;
  }

  // Copies the rows with these indices, in this order, to `out` (of indices.size() rows).
  // UserError for an index out of range.
  void gather(std::span<const std::int64_t> indices, std::byte* out) const;
  Array gathered(std::span<const std::int64_t> indices) const;

 private:
  std::shared_ptr<const HostTensor> tensor_;
  TensorType type_;
  std::size_t row_bytes_ = 0;
  std::int64_t first_ = 0;
};

}  // namespace tenon::data

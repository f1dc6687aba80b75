#include "tenon/data/array.h"

#include <cstring>

namespace tenon::data {

Array::Array(HostTensor tensor) : type_(tensor.type()) {
  require(type_.rank() >= 1, "an array of samples needs a first axis that counts them, not {}",
          type_);
  row_bytes_ = static_cast<std::size_t>(byte_size({type_.dtype, row_shape()}));
  tensor_ = std::make_shared<const HostTensor>(std::move(tensor));
}

Array Array::rows(std::int64_t first, std::int64_t count) const {
  require(first >= 0 && count >= 0 && first <= size() && count <= size() - first,
          "cannot take {} rows from row {} on of {}", count, first, type_);
  Array part = *this;
  part.first_ += first;
  part.type_.shape.front() = count;
  return part;
}

void Array::gather(std::span<const std::int64_t> indices, std::byte* out) const {
  const std::byte* rows = data();
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= size()) [[unlikely]]
      throw UserError(
          fmt::format("row {} of {}: only rows 0 to {} exist", index, type_, size() - 1));
    if (row_bytes_ > 0)
      std::memcpy(out, rows + static_cast<std::size_t>(index) * row_bytes_, row_bytes_);
    out += row_bytes_;
  }
}

Array Array::gathered(std::span<const std::int64_t> indices) const {
  TensorType type = type_;
  type.shape.front() = static_cast<std::int64_t>(indices.size());
  HostTensor tensor(std::move(type));
  gather(indices, tensor.bytes().data());
  return Array(std::move(tensor));
}

}  // namespace tenon::data

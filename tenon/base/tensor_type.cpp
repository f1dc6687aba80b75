#include "tenon/base/tensor_type.h"

#include <fmt/ranges.h>

#include "tenon/base/error.h"

namespace tenon {

std::int64_t checked_multiply(std::int64_t a, std::int64_t b, std::string_view what) {
  std::int64_t product = 0;
  require(!__builtin_mul_overflow(a, b, &product), "{}: {} * {} does not fit in 63 bits", what, a,
          b);
  return product;
}

std::int64_t checked_add(std::int64_t a, std::int64_t b, std::string_view what) {
  std::int64_t sum = 0;
  require(!__builtin_add_overflow(a, b, &sum), "{}: {} + {} does not fit in 63 bits", what, a, b);
  return sum;
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    require(extent >= 0, "shape {} has a negative extent", shape);
    if (extent == 0)
      empty = true;
    else
      require(!__builtin_mul_overflow(count, extent, &count), "shape {} has too many elements",
              shape);
  }
  return empty ? 0 : count;
}

std::int64_t byte_size(const TensorType& type) {
  return checked_multiply(element_count(type.shape), static_cast<std::int64_t>(size_of(type.dtype)),
                          "tensor size");
}

Shape row_major_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

std::int64_t normalize_axis(std::int64_t axis, std::int64_t rank, std::string_view what) {
  require(axis >= -rank && axis < rank, "{}: axis {} is out of range for rank {}", what, axis,
          rank);
  return axis < 0 ? axis + rank : axis;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::string to_string(const TensorType& type) {
  return fmt::format("{}[{}]", name(type.dtype), fmt::join(type.shape, ","));
}

}  // namespace tenon

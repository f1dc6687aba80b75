// The static type of a tensor: element type and shape, with checked size arithmetic.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tenon/base/dtype.h"

namespace tenon {

using Shape = std::vector<std::int64_t>;
using Axes = std::vector<std::int64_t>;

struct TensorType {
  DType dtype = DType::f32;
  Shape shape;

  std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()); }
  bool operator==(const TensorType&) const = default;
};

// Product of the extents; 1 for a scalar. UserError if an extent is negative or the product
// of the non-zero extents overflows 63 bits.
std::int64_t element_count(const Shape& shape);

// element_count times the element size, checked likewise.
std::int64_t byte_size(const TensorType& type);

// Row-major strides in elements.
Shape row_major_strides(const Shape& shape);

// The axis counted from the front: -1 is the last. UserError if out of range; `what` starts the
// message ("softmax: axis 3 is out of range for rank 2").
std::int64_t normalize_axis(std::int64_t axis, std::int64_t rank, std::string_view what);

// a * b and a + b; UserError naming `what` on overflow of 63 bits.
std::int64_t checked_multiply(std::int64_t a, std::int64_t b, std::string_view what);
std::int64_t checked_add(std::int64_t a, std::int64_t b, std::string_view what);

std::string to_string(const Shape& shape);      // "[2, 3]"
std::string to_string(const TensorType& type);  // "f32[2,3]"

}  // namespace tenon

template <>
struct fmt::formatter<tenon::TensorType> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const tenon::TensorType& type, Context& context) const {
    return fmt::formatter<std::string_view>::format(tenon::to_string(type), context);
  }
};

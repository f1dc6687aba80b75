// Concrete tensors in host memory: an owning one and two views.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "tenon/base/aligned_memory.h"
#include "tenon/base/error.h"
#include "tenon/base/tensor_type.h"

namespace tenon {

// Alignment of every tensor's first byte: one cache line, one AVX-512 register.
inline constexpr std::size_t kTensorAlignment = 64;

// Owning, row-major, 64-byte aligned. Copying copies the bytes.
class HostTensor {
 public:
  HostTensor() : HostTensor(TensorType{DType::f32, {0}}) {}
  // Zero-filled. UserError if the size overflows or the memory cannot be had.
  explicit HostTensor(TensorType type);
  HostTensor(const HostTensor& other);
  HostTensor(HostTensor&& other) noexcept = default;
  HostTensor& operator=(const HostTensor& other);
  HostTensor& operator=(HostTensor&& other) noexcept = default;

  const TensorType& type() const { return type_; }
  const Shape& shape() const { return type_.shape; }
  DType dtype() const { return type_.dtype; }
  std::int64_t size() const { return count_; }  // elements
  std::span<std::byte> bytes() { return {data_.get(), byte_count_}; }
  std::span<const std::byte> bytes() const { return {data_.get(), byte_count_}; }

  // The elements; UserError unless T stores this tensor's element type.
  template <Element T>
  std::span<T> as() {
    require_element(*kDTypeOf<T>);
    return {reinterpret_cast<T*>(data_.get()), static_cast<std::size_t>(count_)};
  }
  template <Element T>
  std::span<const T> as() const {
    require_element(*kDTypeOf<T>);
    return {reinterpret_cast<const T*>(data_.get()), static_cast<std::size_t>(count_)};
  }

  // The same bytes under another shape of equal element count; UserError otherwise.
  HostTensor reshaped(Shape shape) const;

  // Equal type and equal bytes (so NaN equals the same NaN, and 0 differs from -0).
  bool operator==(const HostTensor& other) const;

 private:
  HostTensor(TensorType type, AlignedMemory (*allocate)(std::size_t, std::size_t));
  void require_element(DType asked) const {
    if (asked != type_.dtype) [[unlikely]]
      refuse_element(asked);
  }
  [[noreturn]] void refuse_element(DType asked) const;
  TensorType type_;
  std::int64_t count_ = 0;
  std::size_t byte_count_ = 0;
  AlignedMemory data_;
};

// A tensor from elements in row-major order; UserError if their number does not fit the shape.
template <Element T>
HostTensor make_tensor(Shape shape, std::span<const T> values) {
  HostTensor tensor({*kDTypeOf<T>, std::move(shape)});
  require(static_cast<std::int64_t>(values.size()) == tensor.size(),
          "{} values given for a tensor of type {}", values.size(), tensor.type());
  std::copy(values.begin(), values.end(), tensor.as<T>().begin());
  return tensor;
}
template <Element T>
HostTensor make_tensor(Shape shape, std::initializer_list<T> values) {
  return make_tensor<T>(std::move(shape), std::span<const T>(values.begin(), values.size()));
}
template <Element T>
HostTensor make_scalar(T value) {
  return make_tensor<T>({}, std::span<const T>(&value, 1));
}

// Element i as a double (i64 and u64 above 2^53 round).
double element_as_double(const HostTensor& tensor, std::int64_t index);
// A tensor of this type with every element set to value (rounded to the element type;
// float to integer saturates).
HostTensor filled(const TensorType& type, double value);
// The values converted to another element type by the rules of `cast` in docs/semantics.md.
HostTensor converted(const HostTensor& tensor, DType dtype);

// A borrowed tensor: contiguous, row-major.
struct HostView {
  TensorType type;
  const void* data = nullptr;
  HostView() = default;
  HostView(TensorType t, const void* d) : type(std::move(t)), data(d) {}
  HostView(const HostTensor& tensor) : type(tensor.type()), data(tensor.bytes().data()) {}
};
struct HostSpan {
  TensorType type;
  void* data = nullptr;
  HostSpan() = default;
  HostSpan(TensorType t, void* d) : type(std::move(t)), data(d) {}
  HostSpan(HostTensor& tensor) : type(tensor.type()), data(tensor.bytes().data()) {}
};
HostTensor copy_of(const HostView& view);

// NumPy's way of printing: nested brackets, columns aligned, long axes summarised with "...".
std::string to_string(const HostTensor& tensor);

}  // namespace tenon

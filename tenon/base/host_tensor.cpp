#include "tenon/base/host_tensor.h"

#include <algorithm>
#include <cstring>

#include "tenon/base/scalar_convert.h"

namespace tenon {
namespace {

// As a program writes the type that stores an element.
std::string_view cpp_name(DType dtype) {
  switch (dtype) {
    case DType::boolean: return "bool";
    case DType::i8: return "std::int8_t";
    case DType::u8: return "std::uint8_t";
    case DType::i32: return "std::int32_t";
    case DType::u32: return "std::uint32_t";
    case DType::i64: return "std::int64_t";
    case DType::u64: return "std::uint64_t";
    case DType::f16: return "Float16";
    case DType::bf16: return "BFloat16";
    case DType::f32: return "float";
    case DType::f64: break;
  }
  return "double";
}

}  // namespace

HostTensor::HostTensor(TensorType type,
                       AlignedMemory (*allocate)(std::size_t bytes, std::size_t alignment))
    : type_(std::move(type)) {
  count_ = element_count(type_.shape);
  byte_count_ = static_cast<std::size_t>(byte_size(type_));
  data_ = allocate(byte_count_, kTensorAlignment);
  require(data_ != nullptr, "out of memory: {} bytes for a tensor of type {}", byte_count_, type_);
}

HostTensor::HostTensor(TensorType type) : HostTensor(std::move(type), allocate_zeroed) {}

HostTensor::HostTensor(const HostTensor& other) : HostTensor(other.type_, allocate_aligned) {
  std::copy(other.bytes().begin(), other.bytes().end(), bytes().begin());
}

HostTensor& HostTensor::operator=(const HostTensor& other) {
  if (this != &other) *this = HostTensor(other);
  return *this;
}

void HostTensor::refuse_element(DType asked) const {
  throw UserError(
      fmt::format("HostTensor::as<{}>: the tensor is {}\n  help: read it with as<{}>(), or convert "
                  "it first: converted(tensor, DType::{})",
                  cpp_name(asked), type_, cpp_name(type_.dtype),
                  asked == DType::boolean ? "boolean" : name(asked)));
}

HostTensor HostTensor::reshaped(Shape shape) const {
  HostTensor result({type_.dtype, std::move(shape)});
  require(result.size() == size(), "cannot reshape {} to {}", type_, result.type());
  std::copy(bytes().begin(), bytes().end(), result.bytes().begin());
  return result;
}

bool HostTensor::operator==(const HostTensor& other) const {
  return type_ == other.type_ && std::equal(bytes().begin(), bytes().end(), other.bytes().begin());
}

double element_as_double(const HostTensor& tensor, std::int64_t index) {
  return with_element_type(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    return convert_element<double>(tensor.as<T>()[static_cast<std::size_t>(index)]);
  });
}

HostTensor filled(const TensorType& type, double value) {
  HostTensor tensor(type);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    std::ranges::fill(tensor.as<T>(), convert_element<T>(value));
  });
  return tensor;
}

HostTensor converted(const HostTensor& tensor, DType dtype) {
  HostTensor result({dtype, tensor.shape()});
  with_element_type(tensor.dtype(), [&]<class From>(TypeTag<From>) {
    with_element_type(dtype, [&]<class To>(TypeTag<To>) {
      std::ranges::transform(tensor.as<From>(), result.as<To>().begin(), convert_element<To, From>);
    });
  });
  return result;
}

HostTensor copy_of(const HostView& view) {
  HostTensor tensor(view.type);
  if (!tensor.bytes().empty()) std::memcpy(tensor.bytes().data(), view.data, tensor.bytes().size());
  return tensor;
}

}  // namespace tenon

// Host tensors: reading elements of another type than they hold.
#include "tenon/base/host_tensor.h"

#include <gtest/gtest.h>

namespace tenon {
namespace {

template <class T>
std::string error_of_reading(const HostTensor& tensor) {
  try {
    tensor.as<T>();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(HostTensor, ReadAsAnotherElementTypeSaysWhatToDo) {
  EXPECT_EQ(error_of_reading<std::int32_t>(HostTensor({DType::f32, {3}})),
            "HostTensor::as<std::int32_t>: the tensor is f32[3]\n  help: read it with as<float>(), "
            "or convert it first: converted(tensor, DType::i32)");
  EXPECT_EQ(error_of_reading<bool>(HostTensor({DType::u8, {}})),
            "HostTensor::as<bool>: the tensor is u8[]\n  help: read it with as<std::uint8_t>(), or "
            "convert it first: converted(tensor, DType::boolean)");
  EXPECT_EQ(error_of_reading<float>(HostTensor({DType::f32, {3}})), "no error");
  HostTensor writable({DType::bf16, {1}});
  EXPECT_THROW(writable.as<float>(), UserError);
  EXPECT_EQ(writable.as<BFloat16>().size(), 1u);
}

}  // namespace
}  // namespace tenon

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

// Of which the system gives the memory, pages of zeros.
TEST(HostTensor, LargeOnesAreZeroAlignedAndCopied) {
  for (const std::int64_t size : {1 << 22, (1 << 22) + 1, 5'000'001}) {
    HostTensor tensor({DType::u8, {size}});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % kTensorAlignment, 0u);
    EXPECT_TRUE(std::ranges::all_of(tensor.bytes(), [](std::byte b) { return b == std::byte{0}; }));
    std::ranges::fill(tensor.bytes(), std::byte{7});
    const HostTensor copy = tensor;
    HostTensor moved = std::move(tensor);
    EXPECT_EQ(copy, moved);
    moved = HostTensor({DType::u8, {size}});  // gives its memory back
    EXPECT_EQ(moved.bytes().back(), std::byte{0});
    EXPECT_EQ(copy.bytes().back(), std::byte{7});
  }
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

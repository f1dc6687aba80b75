// The rule of type promotion and broadcasting, and its messages.
#include "tenon/tensor/promotion.h"

#include "tensor_testing.h"

namespace tenon {
namespace {

TEST(Promotion, EveryPairFollowsTheWrittenRule) {
  const auto kind = [](DType d) { return is_boolean(d) ? 0 : is_integer(d) ? 1 : 2; };
  for (const DType a : kAllDTypes)
    for (const DType b : kAllDTypes) {
      const bool impossible =
          (a == DType::u64 && is_signed(b)) || (b == DType::u64 && is_signed(a));
      if (impossible) {
        EXPECT_THROW(promote(a, b), UserError);
        continue;
      }
      const DType result = promote(a, b);
      EXPECT_EQ(result, promote(b, a));
      EXPECT_EQ(kind(result), std::max(kind(a), kind(b)));
      if (kind(a) > kind(b) || a == b) {
        EXPECT_EQ(result, a) << name(b);
      }
      if (kind(a) == 1 && kind(b) == 1) {
        EXPECT_EQ(is_signed(result), is_signed(a) || is_signed(b));
        EXPECT_GE(size_of(result), std::max(size_of(a), size_of(b)));
      }
    }
  EXPECT_EQ(promote(DType::u8, DType::i8), DType::i32);
  EXPECT_EQ(promote(DType::u8, DType::i32), DType::i32);
  EXPECT_EQ(promote(DType::u32, DType::i32), DType::i64);
  EXPECT_EQ(promote(DType::u32, DType::i8), DType::i64);
  EXPECT_EQ(promote(DType::u32, DType::u64), DType::u64);
  EXPECT_EQ(promote(DType::f16, DType::bf16), DType::f32);
  EXPECT_EQ(promote(DType::f16, DType::f32), DType::f32);
  EXPECT_EQ(promote(DType::f32, DType::f64), DType::f64);
  EXPECT_EQ(promote(DType::i64, DType::f16), DType::f16);
}

TEST(Promotion, NumbersGiveWayWithinTheirKind) {
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    EXPECT_EQ((typed(dtype) * 2).dtype(), dtype);
    EXPECT_EQ((typed(dtype) * 0.5).dtype(), dtype);
    EXPECT_EQ((0.5f + typed(dtype)).dtype(), dtype);
    EXPECT_EQ((typed(dtype) - true).dtype(), dtype);
    EXPECT_EQ((typed(dtype) * (2 * 0.25)).dtype(), dtype);
    EXPECT_EQ((typed(dtype) * (Tensor(2) * 0.25)).dtype(), dtype);
    EXPECT_EQ((typed(dtype) * (Tensor(1) / 3)).dtype(), dtype);
    EXPECT_EQ((typed(dtype) * exp(Tensor(2))).dtype(), dtype);
    EXPECT_EQ((typed(dtype) * -Tensor(2.0)).dtype(), dtype);
    EXPECT_EQ(maximum(typed(dtype), relu(Tensor(2.0))).dtype(), dtype);
  }
  for (const DType dtype : {DType::i8, DType::u8, DType::i32, DType::i64}) {
    EXPECT_EQ((typed(dtype) + 1).dtype(), dtype);
    EXPECT_EQ((typed(dtype) + 0.5).dtype(), DType::f32);
    EXPECT_EQ((typed(dtype) / 2).dtype(), DType::f32);
  }
  EXPECT_EQ((typed(DType::boolean) + 1).dtype(), DType::i32);
  EXPECT_EQ((typed(DType::boolean) * 0.5).dtype(), DType::f32);
  EXPECT_EQ((typed(DType::boolean) + typed(DType::boolean)).dtype(), DType::i32);
  // A named type does not give way.
  EXPECT_EQ((typed(DType::f32) * cast(Tensor(2.0), DType::f64)).dtype(), DType::f64);
  EXPECT_EQ((typed(DType::f32) * Tensor(make_scalar(2.0))).dtype(), DType::f64);
}

TEST(Promotion, NumbersAreRoundedOnceToTheOtherType) {
  EXPECT_EQ((numbers({}, {1}, DType::f64) * 0.1).value(), make_scalar(0.1));
  EXPECT_EQ((numbers({}, {1}, DType::f32) * 0.1).value(), make_scalar(0.1f));
  EXPECT_EQ((numbers({}, {7}, DType::i64) + (1ll << 40)).value(),
            make_scalar<std::int64_t>((1ll << 40) + 7));
}

TEST(Promotion, EveryIntegerOfCppIsAWeakNumber) {
  const Tensor x = typed(DType::u8);
  EXPECT_EQ((x + std::size_t{3}).value(), make_scalar<std::uint8_t>(3));
  EXPECT_EQ((x + static_cast<short>(3)).dtype(), DType::u8);
  EXPECT_EQ((x + 'a').value(), make_scalar<std::uint8_t>(97));
  EXPECT_EQ((typed(DType::boolean) + 3u).dtype(), DType::i32);
  EXPECT_EQ(error_of([] { Tensor(~std::uint64_t{0}); }),
            "the number 18446744073709551615 does not fit i64");
}

TEST(Promotion, SignedWithU64IsAnError) {
  EXPECT_EQ(error_of([] { typed(DType::u64) + typed(DType::i32); }),
            "no integer type holds both u64 and i32; cast one of them");
  EXPECT_EQ(error_of([] { typed(DType::i8) * typed(DType::u64); }),
            "no integer type holds both u64 and i8; cast one of them");
  EXPECT_EQ(error_of([] { typed(DType::u64) + 1; }), "no error");
}

TEST(Broadcasting, FollowsNumPy) {
  EXPECT_EQ(broadcast_shapes({2, 1, 3}, {4, 1}, "f"), (Shape{2, 4, 3}));
  EXPECT_EQ(broadcast_shapes({}, {4, 1}, "f"), (Shape{4, 1}));
  EXPECT_EQ(broadcast_shapes({0, 3}, {1, 3}, "f"), (Shape{0, 3}));
  EXPECT_EQ(broadcast_shapes({1}, {0}, "f"), (Shape{0}));
  EXPECT_EQ((typed(DType::f32, {8, 1, 6, 1}) + typed(DType::f32, {7, 1, 5})).shape(),
            (Shape{8, 7, 6, 5}));
  EXPECT_EQ(doubles(numbers({2, 1}, {1, 2}) + numbers({3}, {10, 20, 30})),
            (std::vector<double>{11, 21, 31, 12, 22, 32}));
}

TEST(Broadcasting, Errors) {
  EXPECT_EQ(error_of([] {
              typed(DType::f32, {2, 3}) + typed(DType::f32, {4});
            }),
            "add: shapes [2, 3] and [4] do not broadcast: 3 and 4 (axis -1) differ and neither is 1"
            "\n    f32[2,3]\n    f32[4]");
  EXPECT_EQ(error_of([] {
              placeholder("x", {DType::f32, {5, 3}}) * placeholder("y", {DType::i32, {2, 3}});
            }),
            "multiply: shapes [5, 3] and [2, 3] do not broadcast: 5 and 2 (axis -2) differ and "
            "neither is 1\n    f32[5,3] from \"x\"\n    i32[2,3] from \"y\"");
  EXPECT_EQ(error_of([] {
              broadcast_to(typed(DType::f32, {2, 3}), {3});
            }),
            "broadcast_to: [2, 3] does not broadcast to [3]");
  EXPECT_EQ(error_of([] { sin(Tensor()); }), "an empty Tensor was used; give it a value first");
  EXPECT_EQ(error_of([] { bitwise_and(typed(DType::f32), typed(DType::i32)); }),
            "logical_and does not take f32 (operands f32[] and i32[])");
}

}  // namespace
}  // namespace tenon

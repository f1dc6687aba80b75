#include "tenon/ir/ops/leaf.h"

#include <gtest/gtest.h>

#include "op_testing.h"

namespace tenon::ir {
namespace {

TEST(Iota, CountsAlongItsAxis) {
  EXPECT_EQ(run_op(Iota{{DType::i32, {2, 3}}, 1}, {}),
            make_tensor<std::int32_t>({2, 3}, {0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(run_op(Iota{{DType::f64, {2, 3}}, 0}, {}),
            make_tensor<double>({2, 3}, {0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(run_op(Iota{{DType::f32, {0, 3}}, 1}, {}), HostTensor({DType::f32, {0, 3}}));
}

TEST(Iota, WrapsInNarrowIntegersAndRoundsInNarrowFloats) {
  const HostTensor bytes = run_op(Iota{{DType::i8, {130}}, 0}, {});
  EXPECT_EQ(bytes.as<std::int8_t>()[127], 127);
  EXPECT_EQ(bytes.as<std::int8_t>()[128], -128);
  const HostTensor narrow = run_op(Iota{{DType::bf16, {260}}, 0}, {});
  EXPECT_EQ(static_cast<float>(narrow.as<BFloat16>()[257]), 256.0f);  // tie to even
  EXPECT_EQ(static_cast<float>(narrow.as<BFloat16>()[259]), 260.0f);
}

TEST(Iota, TypeRule) {
  EXPECT_EQ(type_rule(Iota{{DType::boolean, {2}}, 0}, {}),
            "iota: expected a number element type (not bool), got bool[2]");
  EXPECT_EQ(type_rule(Iota{kMatrix, 2}, {}), "iota: axis 2 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(Iota{kMatrix, -1}, {}),
            "iota: axis -1 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(Iota{{DType::f32, {}}, 0}, {}),
            "iota: axis 0 is out of range for f32[] of rank 0");
  EXPECT_EQ(type_rule(Iota{{DType::f32, {-1}}, 0}, {}),
            "iota: result f32[-1] has a negative extent");
  EXPECT_EQ(type_rule(Iota{{DType::f32, {std::int64_t{1} << 61}}, 0}, {}),
            "iota: result f32[2305843009213693952] is too large: its bytes do not fit in 63 bits");
  EXPECT_EQ(type_rule(Iota{kMatrix, 0}, {kMatrix}), "iota: expected 0 operands, got 1 (f32[2,3])");
}

TEST(Constant, IsItsValue) {
  const HostTensor value = numbers({2}, {1.5, -2});
  EXPECT_EQ(run_op(Constant{ConstantRef(value)}, {}), value);
  EXPECT_EQ(type_rule(Constant{ConstantRef(value)}, {}), "accepted: f64[2]");
  EXPECT_EQ(type_rule(Constant{ConstantRef(value)}, {kMatrix, kMatrix}),
            "constant: expected 0 operands, got 2 (f32[2,3], f32[2,3])");
  EXPECT_THROW(type_rule(Constant{}, {}), InternalError);
}

TEST(Parameter, TypeRule) {
  EXPECT_EQ(type_rule(Parameter{0, kMatrix}, {}), "accepted: f32[2,3]");
  EXPECT_EQ(type_rule(Parameter{-1, kMatrix}, {}), "parameter: position -1 is negative");
  EXPECT_EQ(type_rule(Parameter{0, {DType::f64, {3, -2}}}, {}),
            "parameter: result f64[3,-2] has a negative extent");
  EXPECT_EQ(type_rule(Parameter{0, kMatrix}, {kMatrix}),
            "parameter: expected 0 operands, got 1 (f32[2,3])");
  EXPECT_THROW(evaluate(Parameter{0, kMatrix}, {}), InternalError);
}

}  // namespace
}  // namespace tenon::ir

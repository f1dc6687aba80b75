#include "tenon/ir/ops/dynamic.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

const TensorType kStart{DType::i32, {}};

TEST(DynamicSlice, ClampsItsStarts) {
  const HostTensor x = counting({5});
  const auto slice_at = [&](auto start) {
    return run_op(DynamicSlice{{2}}, {x, make_scalar(start)});
  };
  EXPECT_EQ(slice_at(std::int32_t{1}), numbers({2}, {1, 2}));
  EXPECT_EQ(slice_at(std::int32_t{4}), numbers({2}, {3, 4}));
  EXPECT_EQ(slice_at(std::int32_t{-7}), numbers({2}, {0, 1}));
  EXPECT_EQ(slice_at(std::uint64_t{0} - 1), numbers({2}, {3, 4}));
  EXPECT_EQ(slice_at(std::uint8_t{200}), numbers({2}, {3, 4}));
  EXPECT_EQ(slice_at(std::numeric_limits<std::int64_t>::min()), numbers({2}, {0, 1}));
}

TEST(DynamicSlice, OfSeveralAxesAndNone) {
  const HostTensor i = make_scalar<std::int32_t>(1), j = make_scalar<std::int32_t>(0);
  EXPECT_EQ(run_op(DynamicSlice{{1, 2}}, {counting({2, 3}), i, j}), numbers({1, 2}, {3, 4}));
  EXPECT_EQ(run_op(DynamicSlice{{0, 3}}, {counting({2, 3}), i, j}), numbers({0, 3}, {}));
  EXPECT_EQ(run_op(DynamicSlice{{}}, {numbers({}, {7})}), numbers({}, {7}));
}

TEST(DynamicSlice, TypeRule) {
  EXPECT_EQ(type_rule(DynamicSlice{{1, 1}}, {}),
            "dynamic_slice: expected at least 1 operand, got none");
  EXPECT_EQ(type_rule(DynamicSlice{{1, 1}}, {kMatrix, kStart}),
            "dynamic_slice: expected 2 starts, one per axis of f32[2,3], got 1 (f32[2,3], i32[])");
  EXPECT_EQ(type_rule(DynamicSlice{{1, 1}}, {kMatrix, kStart, {DType::i64, {}}}),
            "dynamic_slice: expected integer scalars of one type as starts, got f32[2,3], i32[], "
            "i64[]");
  EXPECT_EQ(type_rule(DynamicSlice{{1, 1}}, {kMatrix, {DType::f32, {}}, {DType::f32, {}}}),
            "dynamic_slice: expected integer scalars of one type as starts, got f32[2,3], f32[], "
            "f32[]");
  EXPECT_EQ(type_rule(DynamicSlice{{1, 1}}, {kMatrix, {DType::i32, {1}}, {DType::i32, {1}}}),
            "dynamic_slice: expected integer scalars of one type as starts, got f32[2,3], i32[1], "
            "i32[1]");
  EXPECT_EQ(type_rule(DynamicSlice{{1}}, {kMatrix, kStart, kStart}),
            "dynamic_slice: sizes has 1 entry, but the operand f32[2,3] has rank 2");
  for (const std::int64_t size : {std::int64_t{-1}, std::int64_t{3}})
    EXPECT_EQ(type_rule(DynamicSlice{{size, 1}}, {kMatrix, kStart, kStart}),
              fmt::format("dynamic_slice: axis 0: size {} does not fit f32[2,3]; expected 0 <= "
                          "size <= extent",
                          size));
}

TEST(DynamicUpdateSlice, WritesAtClampedStarts) {
  const HostTensor x = counting({5}), update = numbers({2}, {-1, -2});
  const auto update_at = [&](std::int32_t start) {
    return run_op(DynamicUpdateSlice{}, {x, update, make_scalar(start)});
  };
  EXPECT_EQ(update_at(1), numbers({5}, {0, -1, -2, 3, 4}));
  EXPECT_EQ(update_at(4), numbers({5}, {0, 1, 2, -1, -2}));
  EXPECT_EQ(update_at(-4), numbers({5}, {-1, -2, 2, 3, 4}));
}

TEST(DynamicUpdateSlice, TypeRule) {
  const TensorType update{DType::f32, {1, 2}};
  EXPECT_EQ(type_rule(DynamicUpdateSlice{}, {kMatrix, update, kStart, kStart}),
            "accepted: f32[2,3]");
  EXPECT_EQ(type_rule(DynamicUpdateSlice{}, {kMatrix}),
            "dynamic_update_slice: expected at least 2 operands, got 1 (f32[2,3])");
  EXPECT_EQ(type_rule(DynamicUpdateSlice{}, {kMatrix, update, kStart}),
            "dynamic_update_slice: expected 2 starts, one per axis of f32[2,3], got 1 (f32[2,3], "
            "f32[1,2], i32[])");
  EXPECT_EQ(type_rule(DynamicUpdateSlice{}, {kMatrix, {DType::f32, {1, 4}}, kStart, kStart}),
            "dynamic_update_slice: update f32[1,4] does not fit into f32[2,3]");
  EXPECT_EQ(type_rule(DynamicUpdateSlice{}, {kMatrix, {DType::f32, {2}}, kStart, kStart}),
            "dynamic_update_slice: update f32[2] does not fit into f32[2,3]");
  EXPECT_EQ(type_rule(DynamicUpdateSlice{}, {kMatrix, {DType::f64, {1, 2}}, kStart, kStart}),
            "dynamic_update_slice: operands have different element types: f32[2,3], f64[1,2]");
}

TEST(DynamicGradient, AgreesWithFiniteDifferences) {
  for (const std::int32_t start : {-3, 1, 9}) {
    const HostTensor i = make_scalar(start), j = make_scalar<std::int32_t>(1);
    expect_derivatives(DynamicSlice{{2, 2}}, {counting({3, 4}), i, j});
    expect_derivatives(DynamicUpdateSlice{}, {counting({3, 4}), counting({2, 2}), i, j});
  }
}

}  // namespace
}  // namespace tenon::ir

#include "tenon/ir/ops/movement.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 40;
const TensorType kScalar{DType::f32, {}};

TEST(Broadcast, RepeatsAlongNewAxes) {
  EXPECT_EQ(run_op(Broadcast{{2, 3}, {1}}, {numbers({3}, {1, 2, 3})}),
            numbers({2, 3}, {1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(run_op(Broadcast{{2, 3}, {0}}, {numbers({2}, {1, 2})}),
            numbers({2, 3}, {1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(run_op(Broadcast{{2}, {}}, {numbers({}, {7})}), numbers({2}, {7, 7}));
  EXPECT_EQ(run_op(Broadcast{{0, 2}, {1}}, {numbers({2}, {1, 2})}), numbers({0, 2}, {}));
}

TEST(Broadcast, TypeRule) {
  EXPECT_EQ(type_rule(Broadcast{{2, 3}, {0}}, {kMatrix}),
            "broadcast: axes has 1 entry, but the operand f32[2,3] has rank 2");
  EXPECT_EQ(type_rule(Broadcast{{2, 3}, {0, 2}}, {kMatrix}),
            "broadcast: axis 2 is out of range for the result f32[2,3] of operand f32[2,3]");
  EXPECT_EQ(type_rule(Broadcast{{3, 2}, {1, 0}}, {kMatrix}),
            "broadcast: axes [1, 0] must be strictly increasing (operand f32[2,3], result "
            "f32[3,2])");
  EXPECT_EQ(type_rule(Broadcast{{2, 4}, {0, 1}}, {kMatrix}),
            "broadcast: operand f32[2,3] does not fit axes [0, 1] of the result f32[2,4]");
  EXPECT_EQ(type_rule(Broadcast{{-2}, {}}, {kScalar}),
            "broadcast: result f32[-2] has a negative extent");
  EXPECT_EQ(type_rule(Broadcast{{kHuge, kHuge}, {}}, {kScalar}),
            "broadcast: result f32[1099511627776,1099511627776] is too large: its bytes do not fit "
            "in 63 bits");
  EXPECT_EQ(type_rule(Broadcast{{}, {}}, {}), "broadcast: expected 1 operand, got none");
}

TEST(Reshape, KeepsRowMajorOrder) {
  EXPECT_EQ(run_op(Reshape{{3, 2}}, {counting({2, 3})}), counting({3, 2}));
  EXPECT_EQ(run_op(Reshape{{}}, {counting({1, 1})}), counting({}));
  EXPECT_EQ(run_op(Reshape{{5, 0}}, {counting({0, 2})}), counting({5, 0}));
}

TEST(Reshape, TypeRule) {
  EXPECT_EQ(type_rule(Reshape{{4, 2}}, {kMatrix}),
            "reshape: f32[2,3] has 6 elements, but the result f32[4,2] has 8");
  EXPECT_EQ(type_rule(Reshape{{-1, 6}}, {kMatrix}),
            "reshape: result f32[-1,6] has a negative extent");
  EXPECT_EQ(type_rule(Reshape{{0, kHuge, kHuge}}, {{DType::f32, {0}}}),
            "reshape: result f32[0,1099511627776,1099511627776] is too large: its bytes do not fit "
            "in 63 bits");
  EXPECT_EQ(type_rule(Reshape{{6}}, {kMatrix, kMatrix}),
            "reshape: expected 1 operand, got 2 (f32[2,3], f32[2,3])");
}

TEST(Transpose, MovesAxes) {
  EXPECT_EQ(run_op(Transpose{{1, 0}}, {counting({2, 3})}), numbers({3, 2}, {0, 3, 1, 4, 2, 5}));
  const HostTensor cube = run_op(Transpose{{2, 0, 1}}, {counting({2, 3, 4}, DType::i32)});
  EXPECT_EQ(cube.shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(cube.as<std::int32_t>()[1 * 6 + 1 * 3 + 2], 1 * 12 + 2 * 4 + 1);
  EXPECT_EQ(run_op(Transpose{{}}, {counting({})}), counting({}));
}

TEST(Transpose, TypeRule) {
  EXPECT_EQ(type_rule(Transpose{{0, 0}}, {kMatrix}),
            "transpose: [0, 0] is not a permutation of the axes of f32[2,3]");
  EXPECT_EQ(type_rule(Transpose{{0, 2}}, {kMatrix}),
            "transpose: [0, 2] is not a permutation of the axes of f32[2,3]");
  EXPECT_EQ(type_rule(Transpose{{0}}, {kMatrix}),
            "transpose: permutation has 1 entry, but the operand f32[2,3] has rank 2");
  EXPECT_EQ(type_rule(Transpose{{0}}, {}), "transpose: expected 1 operand, got none");
}

TEST(Reverse, FlipsAxes) {
  EXPECT_EQ(run_op(Reverse{{1}}, {counting({2, 3})}), numbers({2, 3}, {2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(run_op(Reverse{{0, 1}}, {counting({2, 3})}), numbers({2, 3}, {5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(run_op(Reverse{{}}, {counting({2})}), counting({2}));
}

TEST(Reverse, TypeRule) {
  EXPECT_EQ(type_rule(Reverse{{2}}, {kMatrix}),
            "reverse: axis 2 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(Reverse{{1, 1}}, {kMatrix}),
            "reverse: axes [1, 1] of f32[2,3] must be strictly increasing");
  EXPECT_EQ(type_rule(Reverse{{0}}, {}), "reverse: expected 1 operand, got none");
}

TEST(Slice, TakesEveryStrideth) {
  EXPECT_EQ(run_op(Slice{{1}, {6}, {2}}, {counting({7})}), numbers({3}, {1, 3, 5}));
  EXPECT_EQ(run_op(Slice{{1}, {5}, {2}}, {counting({7})}), numbers({2}, {1, 3}));
  EXPECT_EQ(run_op(Slice{{0, 1}, {2, 3}, {1, 1}}, {counting({2, 3})}),
            numbers({2, 2}, {1, 2, 4, 5}));
  EXPECT_EQ(run_op(Slice{{2}, {2}, {1}}, {counting({7})}), numbers({0}, {}));
  EXPECT_EQ(run_op(Slice{{6}, {7}, {std::numeric_limits<std::int64_t>::max()}}, {counting({7})}),
            numbers({1}, {6}));
}

TEST(Slice, TypeRule) {
  EXPECT_EQ(type_rule(Slice{{0, 0}, {2, 4}, {1, 1}}, {kMatrix}),
            "slice: axis 1: start 0, limit 4, stride 1 do not fit f32[2,3]; expected 0 <= start <= "
            "limit <= extent and stride >= 1");
  for (const auto& [start, limit, stride] :
       {std::array<std::int64_t, 3>{-1, 2, 1}, {2, 1, 1}, {0, 2, 0}, {0, 2, -1}})
    EXPECT_EQ(type_rule(Slice{{start, 0}, {limit, 3}, {stride, 1}}, {kMatrix}),
              fmt::format("slice: axis 0: start {}, limit {}, stride {} do not fit f32[2,3]; "
                          "expected 0 <= start <= limit <= extent and stride >= 1",
                          start, limit, stride));
  EXPECT_EQ(type_rule(Slice{{0}, {2, 3}, {1, 1}}, {kMatrix}),
            "slice: starts has 1 entry, but the operand f32[2,3] has rank 2");
  EXPECT_EQ(type_rule(Slice{{0, 0}, {}, {1, 1}}, {kMatrix}),
            "slice: limits has 0 entries, but the operand f32[2,3] has rank 2");
  EXPECT_EQ(type_rule(Slice{{0, 0}, {2, 3}, {1}}, {kMatrix}),
            "slice: strides has 1 entry, but the operand f32[2,3] has rank 2");
  EXPECT_EQ(type_rule(Slice{{}, {}, {}}, {}), "slice: expected 1 operand, got none");
}

TEST(Pad, SurroundsAndSpreads) {
  const HostTensor x = numbers({3}, {1, 2, 3}), nine = numbers({}, {9});
  EXPECT_EQ(run_op(Pad{{1}, {2}, {0}}, {x, nine}), numbers({6}, {9, 1, 2, 3, 9, 9}));
  EXPECT_EQ(run_op(Pad{{0}, {0}, {1}}, {x, nine}), numbers({5}, {1, 9, 2, 9, 3}));
  EXPECT_EQ(run_op(Pad{{-1}, {1}, {0}}, {x, nine}), numbers({3}, {2, 3, 9}));
  EXPECT_EQ(run_op(Pad{{-1}, {-1}, {1}}, {x, nine}), numbers({3}, {9, 2, 9}));
  EXPECT_EQ(run_op(Pad{{-5}, {4}, {0}}, {x, nine}), numbers({2}, {9, 9}));
  EXPECT_EQ(run_op(Pad{{1, 0}, {0, 1}, {0, 0}}, {numbers({1, 2}, {1, 2}), nine}),
            numbers({2, 3}, {9, 9, 9, 1, 2, 9}));
  EXPECT_EQ(run_op(Pad{{2}, {0}, {3}}, {numbers({0}, {}), nine}), numbers({2}, {9, 9}));
  EXPECT_EQ(run_op(Pad{{}, {}, {}}, {numbers({}, {1}), nine}), numbers({}, {1}));
}

TEST(Pad, TypeRule) {
  EXPECT_EQ(type_rule(Pad{{0, 0}, {0, 0}, {0, 0}}, {kMatrix}),
            "pad: expected 2 operands, got 1 (f32[2,3])");
  EXPECT_EQ(type_rule(Pad{{0, 0}, {0, 0}, {0, 0}}, {kMatrix, kMatrix}),
            "pad: expected a scalar to pad with, got f32[2,3], f32[2,3]");
  EXPECT_EQ(type_rule(Pad{{0, 0}, {0, 0}, {0, 0}}, {kMatrix, {DType::f64, {}}}),
            "pad: operands have different element types: f32[2,3], f64[]");
  EXPECT_EQ(type_rule(Pad{{0}, {0, 0}, {0, 0}}, {kMatrix, kScalar}),
            "pad: low has 1 entry, but the operand f32[2,3] has rank 2");
  EXPECT_EQ(type_rule(Pad{{0, 0}, {0, 0}, {0, -1}}, {kMatrix, kScalar}),
            "pad: axis 1: interior -1 is negative (operand f32[2,3])");
  EXPECT_EQ(type_rule(Pad{{-2, 0}, {-1, 0}, {0, 0}}, {kMatrix, kScalar}),
            "pad: axis 0: low -2, high -1, interior 0 leave -1 elements of f32[2,3]; expected at "
            "least 0");
  EXPECT_EQ(type_rule(Pad{{std::numeric_limits<std::int64_t>::min(), 0}, {0, 0}, {0, 0}},
                      {kMatrix, kScalar}),
            "pad: axis 0: low -9223372036854775808, high 0, interior 0 are too large (operand "
            "f32[2,3])");
  EXPECT_EQ(type_rule(Pad{{kHuge, kHuge}, {0, 0}, {0, 0}}, {kMatrix, kScalar}),
            "pad: result f32[1099511627778,1099511627779] is too large: its bytes do not fit in 63 "
            "bits");
  EXPECT_EQ(type_rule(Pad{{0}, {0}, {kHuge}}, {{DType::f32, {kHuge}}, kScalar}),
            "pad: 1099511627775 * 1099511627776 does not fit in 63 bits");
}

TEST(Concatenate, JoinsAlongAnAxis) {
  EXPECT_EQ(run_op(Concatenate{1}, {numbers({2, 1}, {1, 2}), numbers({2, 2}, {3, 4, 5, 6})}),
            numbers({2, 3}, {1, 3, 4, 2, 5, 6}));
  EXPECT_EQ(run_op(Concatenate{0}, {numbers({1}, {1}), numbers({0}, {}), numbers({2}, {2, 3})}),
            numbers({3}, {1, 2, 3}));
  EXPECT_EQ(run_op(Concatenate{0}, {numbers({1}, {1})}), numbers({1}, {1}));
}

TEST(Concatenate, TypeRule) {
  const TensorType other{DType::f32, {3, 3}};
  EXPECT_EQ(type_rule(Concatenate{0}, {}), "concatenate: expected at least 1 operand, got none");
  EXPECT_EQ(type_rule(Concatenate{1}, {kMatrix, other}),
            "concatenate: operands differ beyond axis 1: f32[2,3], f32[3,3]");
  EXPECT_EQ(type_rule(Concatenate{0}, {kMatrix, {DType::f32, {3}}}),
            "concatenate: operands differ beyond axis 0: f32[2,3], f32[3]");
  EXPECT_EQ(type_rule(Concatenate{0}, {kMatrix, {DType::i32, {2, 3}}}),
            "concatenate: operands have different element types: f32[2,3], i32[2,3]");
  EXPECT_EQ(type_rule(Concatenate{2}, {kMatrix}),
            "concatenate: axis 2 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(Concatenate{-1}, {kMatrix}),
            "concatenate: axis -1 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(Concatenate{0}, {kScalar}),
            "concatenate: axis 0 is out of range for f32[] of rank 0");
  const TensorType big{DType::u8, {std::int64_t{1} << 62}};
  EXPECT_EQ(type_rule(Concatenate{0}, {big, big}),
            "concatenate: 4611686018427387904 + 4611686018427387904 does not fit in 63 bits");
}

TEST(MovementGradient, AgreesWithFiniteDifferences) {
  const HostTensor x = counting({2, 3}), scalar = numbers({}, {0.5});
  expect_derivatives(Broadcast{{4, 2, 3}, {1, 2}}, {x});
  expect_derivatives(Broadcast{{2, 5, 3}, {0, 2}}, {x});
  expect_derivatives(Reshape{{3, 1, 2}}, {x});
  expect_derivatives(Transpose{{2, 0, 1}}, {counting({2, 3, 2})});
  expect_derivatives(Reverse{{0, 1}}, {x});
  expect_derivatives(Slice{{0, 1}, {2, 2}, {1, 1}}, {x});
  expect_derivatives(Slice{{1}, {6}, {2}}, {counting({7})});
  expect_derivatives(Slice{{2}, {2}, {3}}, {counting({7})});
  expect_derivatives(Slice{{6}, {7}, {std::numeric_limits<std::int64_t>::max()}}, {counting({7})});
  expect_derivatives(Pad{{1, 0}, {2, 1}, {0, 2}}, {x, scalar});
  expect_derivatives(Pad{{-1, 2}, {1, -1}, {0, 1}}, {x, scalar});
  expect_derivatives(Pad{{-5}, {4}, {0}}, {counting({3}), scalar});
  expect_derivatives(Pad{{2}, {0}, {3}}, {counting({0}), scalar});
  expect_derivatives(Pad{{-1}, {1}, {kHuge}}, {counting({1}), scalar});
  expect_derivatives(Concatenate{1}, {x, counting({2, 1}), counting({2, 0})});
}

TEST(MovementGradient, OfThePaddingScalarIgnoresInfinitiesInside) {
  const double infinity = std::numeric_limits<double>::infinity();
  const HostTensors gradients = gradients_of(Pad{{1}, {1}, {0}}, {counting({2}), numbers({}, {0})},
                                             {numbers({4}, {1, infinity, 5, 2})});
  EXPECT_EQ(gradients[0], numbers({2}, {infinity, 5}));
  EXPECT_EQ(gradients[1], numbers({}, {3}));
}

}  // namespace
}  // namespace tenon::ir

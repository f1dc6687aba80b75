#include "tenon/ir/ops/reduce.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

Reduce reduce_of(ReduceKind kind, Axes axes, DType accumulate = DType::f64) {
  return {kind, std::move(axes), accumulate};
}

TEST(Reduce, CombinesAlongAxes) {
  const HostTensor x = numbers({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {0}), {x}), numbers({3}, {5, 7, 9}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {1}), {x}), numbers({2}, {6, 15}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {0, 1}), {x}), numbers({}, {21}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {}), {x}), x);
  EXPECT_EQ(run_op(reduce_of(ReduceKind::product, {1}), {x}), numbers({2}, {6, 120}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::min, {0}), {x}), numbers({3}, {1, 2, 3}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::max, {1}), {x}), numbers({2}, {3, 6}));
}

TEST(Reduce, EmptyGivesTheNeutralElement) {
  const HostTensor x({DType::f64, {0, 2}});
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {0}), {x}), numbers({2}, {0, 0}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::product, {0}), {x}), numbers({2}, {1, 1}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::min, {0}), {x}), numbers({2}, {kInfinity, kInfinity}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::max, {0}), {x}), numbers({2}, {-kInfinity, -kInfinity}));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {1}), {x}), numbers({0}, {}));
  const HostTensor bytes({DType::i8, {0}});
  EXPECT_EQ(run_op(reduce_of(ReduceKind::min, {0}, DType::i8), {bytes}),
            make_scalar<std::int8_t>(127));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::max, {0}, DType::i8), {bytes}),
            make_scalar<std::int8_t>(-128));
  const HostTensor truths({DType::boolean, {0}});
  EXPECT_EQ(run_op(reduce_of(ReduceKind::all, {0}, DType::boolean), {truths}), make_scalar(true));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::any, {0}, DType::boolean), {truths}), make_scalar(false));
}

TEST(Reduce, MinAndMaxPropagateNan) {
  const HostTensor x = numbers({2, 3}, {1, kNan, 3, 4, 5, 6});
  for (const ReduceKind kind : {ReduceKind::min, ReduceKind::max}) {
    const HostTensor result = run_op(reduce_of(kind, {1}), {x});
    EXPECT_TRUE(std::isnan(result.as<double>()[0]));
    EXPECT_EQ(result.as<double>()[1], kind == ReduceKind::min ? 4 : 6);
  }
}

TEST(Reduce, NegativeZeroIsBelowZero) {
  for (const HostTensor& x : {numbers({2}, {0.0, -0.0}), numbers({2}, {-0.0, 0.0})}) {
    EXPECT_EQ(run_op(reduce_of(ReduceKind::max, {0}), {x}), make_scalar(0.0));
    EXPECT_EQ(run_op(reduce_of(ReduceKind::min, {0}), {x}), make_scalar(-0.0));
    EXPECT_EQ(run_op_results(reduce_of(ReduceKind::argmax, {0}), {x})[1],
              make_scalar<std::int32_t>(0));
  }
}

TEST(Reduce, ArgReductionsTakeTheFirstOfEqualsAndTheFirstNan) {
  const HostTensor x = numbers({3, 4}, {2, 7, 7, 1, 1, kNan, 9, kNan, -3, -3, -3, -3});
  const HostTensors highest = run_op_results(reduce_of(ReduceKind::argmax, {1}), {x});
  EXPECT_EQ(highest[1], make_tensor<std::int32_t>({3}, {1, 1, 0}));
  EXPECT_EQ(highest[0].as<double>()[0], 7);
  EXPECT_TRUE(std::isnan(highest[0].as<double>()[1]));
  const HostTensors lowest = run_op_results(reduce_of(ReduceKind::argmin, {1}), {x});
  EXPECT_EQ(lowest[1], make_tensor<std::int32_t>({3}, {3, 1, 0}));
  EXPECT_EQ(lowest[0].as<double>()[2], -3);
  // Infinities and lowest integers are values like any other, though they equal the neutral ones.
  EXPECT_EQ(run_op_results(reduce_of(ReduceKind::argmax, {0}),
                           {numbers({2}, {-kInfinity, -kInfinity})})[1],
            make_scalar<std::int32_t>(0));
}

TEST(Reduce, FloatsAccumulateWideAndRoundOnce) {
  // In f32, 2^24 + 1 is 2^24; in f16, 2048 + 1 is 2048.
  const HostTensor x = numbers({3}, {16777216, 1, 1}, DType::f32);
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {0}, DType::f32), {x}), make_scalar<float>(16777218));
  const HostTensor half = numbers({3}, {2048, 1, 1}, DType::f16);
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {0}, DType::f32), {half}),
            make_scalar(Float16(2050)));
}

TEST(Reduce, IntegersWrap) {
  const HostTensor x = numbers({3}, {100, 100, 100}, DType::i8);
  EXPECT_EQ(run_op(reduce_of(ReduceKind::sum, {0}, DType::i8), {x}), make_scalar<std::int8_t>(44));
  EXPECT_EQ(run_op(reduce_of(ReduceKind::product, {0}, DType::i8), {x}),
            make_scalar<std::int8_t>(64));  // 1000000 mod 256
}

TEST(Reduce, TypeRule) {
  const TensorType matrix{DType::f32, {2, 3}};
  const auto sum = [](Axes axes) {
    return reduce_of(ReduceKind::sum, std::move(axes), DType::f32);
  };
  EXPECT_EQ(type_rule(sum({1}), {matrix}), "accepted: f32[2]");
  EXPECT_EQ(type_rule(reduce_of(ReduceKind::argmax, {0}, DType::f32), {matrix}),
            "accepted: f32[3] i32[3]");
  EXPECT_EQ(type_rule(sum({1}), {matrix, matrix}),
            "reduce: expected 1 operand, got 2 (f32[2,3], f32[2,3])");
  EXPECT_EQ(type_rule(sum({2}), {matrix}), "reduce: axis 2 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(sum({-1}), {matrix}),
            "reduce: axis -1 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(sum({0, 0}), {matrix}),
            "reduce: axes [0, 0] of f32[2,3] must be strictly increasing");
  EXPECT_EQ(type_rule(sum({0}), {{DType::boolean, {2}}}), "reduce: sum takes numbers, got bool[2]");
  EXPECT_EQ(type_rule(reduce_of(ReduceKind::any, {0}, DType::f32), {matrix}),
            "reduce: any takes bool, got f32[2,3]");
  EXPECT_EQ(type_rule(sum({0}), {{DType::f64, {2}}}),
            "reduce: sum of f64[2] cannot accumulate in f32; use f64 or a wider float");
  EXPECT_EQ(type_rule(reduce_of(ReduceKind::product, {0}, DType::bf16), {{DType::f16, {2}}}),
            "reduce: product of f16[2] cannot accumulate in bf16; use f16 or a wider float");
  EXPECT_EQ(type_rule(sum({0}), {{DType::f16, {2}}}), "accepted: f16[]");
  EXPECT_EQ(type_rule(sum({0}), {{DType::i32, {2}}}),
            "reduce: sum of i32[2] accumulates in i32, not f32");
  EXPECT_EQ(type_rule(reduce_of(ReduceKind::max, {0}, DType::f64), {matrix}),
            "reduce: max of f32[2,3] accumulates in f32, not f64");
  EXPECT_EQ(type_rule(reduce_of(ReduceKind::argmin, {0, 1}, DType::f32), {matrix}),
            "reduce: argmin takes one axis, got axes [0, 1] of f32[2,3]");
  EXPECT_EQ(type_rule(reduce_of(ReduceKind::argmax, {1}, DType::f32), {{DType::f32, {2, 0}}}),
            "reduce: argmax along axis 1 of f32[2,0], which is empty");
  EXPECT_EQ(
      type_rule(reduce_of(ReduceKind::argmax, {1}, DType::f32), {{DType::f32, {2, 1LL << 31}}}),
      "reduce: argmax along axis 1 of f32[2,2147483648]: positions do not fit in i32");
}

TEST(Reduce, ProductGradientIsExactWithZeros) {
  const Reduce product = reduce_of(ReduceKind::product, {0, 1});
  const HostTensor one = numbers({}, {1});
  EXPECT_EQ(gradients_of(product, {numbers({2, 2}, {2, 0, 3, 5})}, {one})[0],
            numbers({2, 2}, {0, 30, 0, 0}));
  EXPECT_EQ(gradients_of(product, {numbers({2, 2}, {2, 0, 0, 5})}, {one})[0],
            numbers({2, 2}, {0, 0, 0, 0}));
  EXPECT_EQ(
      gradients_of(reduce_of(ReduceKind::product, {0}), {HostTensor({DType::f64, {0}})}, {one})[0],
      numbers({0}, {}));
}

TEST(Reduce, MinAndMaxShareTheGradientAmongTies) {
  const HostTensor x = numbers({2, 3}, {4, 1, 4, 2, 2, 2});
  EXPECT_EQ(gradients_of(reduce_of(ReduceKind::max, {1}), {x}, {numbers({2}, {3, 6})})[0],
            numbers({2, 3}, {1.5, 0, 1.5, 2, 2, 2}));
  EXPECT_EQ(gradients_of(reduce_of(ReduceKind::argmax, {1}), {x}, {numbers({2}, {3, 6})})[0],
            numbers({2, 3}, {3, 0, 0, 6, 0, 0}));
}

TEST(Reduce, DerivativesMatchFiniteDifferences) {
  const HostTensor x = numbers({2, 3, 2}, {1.5, -2, 0.25, 3, -1, 0.5, 2.5, 1, -0.75, 0, 4, -3});
  for (const Axes& axes : {Axes{0}, Axes{1}, Axes{0, 2}, Axes{0, 1, 2}, Axes{}})
    for (const ReduceKind kind :
         {ReduceKind::sum, ReduceKind::product, ReduceKind::min, ReduceKind::max}) {
      SCOPED_TRACE(fmt::format("kind {}, {} axes", static_cast<int>(kind), axes.size()));
      expect_derivatives(reduce_of(kind, axes), {x});
    }
  for (const std::int64_t axis : {0, 1, 2})
    for (const ReduceKind kind : {ReduceKind::argmin, ReduceKind::argmax})
      expect_derivatives(reduce_of(kind, {axis}), {x});
  expect_derivatives(reduce_of(ReduceKind::product, {1}), {numbers({2, 3}, {0, 2, 0, 0, 3, -1})});
}

CumulativeReduce cumulative(ReduceKind kind, std::int64_t axis, bool reverse = false,
                            DType accumulate = DType::f64) {
  return {kind, axis, reverse, accumulate};
}

TEST(CumulativeReduce, RunsAlongTheAxis) {
  const HostTensor x = numbers({2, 3}, {3, 1, 2, 4, 6, 5});
  EXPECT_EQ(run_op(cumulative(ReduceKind::sum, 1), {x}), numbers({2, 3}, {3, 4, 6, 4, 10, 15}));
  EXPECT_EQ(run_op(cumulative(ReduceKind::sum, 0), {x}), numbers({2, 3}, {3, 1, 2, 7, 7, 7}));
  EXPECT_EQ(run_op(cumulative(ReduceKind::sum, 1, true), {x}),
            numbers({2, 3}, {6, 3, 2, 15, 11, 5}));
  EXPECT_EQ(run_op(cumulative(ReduceKind::product, 1), {x}),
            numbers({2, 3}, {3, 3, 6, 4, 24, 120}));
  EXPECT_EQ(run_op(cumulative(ReduceKind::max, 1), {x}), numbers({2, 3}, {3, 3, 3, 4, 6, 6}));
  EXPECT_EQ(run_op(cumulative(ReduceKind::min, 1, true), {x}), numbers({2, 3}, {1, 1, 2, 4, 5, 5}));
  EXPECT_EQ(run_op(cumulative(ReduceKind::sum, 0), {HostTensor({DType::f64, {0, 2}})}),
            numbers({0, 2}, {}));
}

TEST(CumulativeReduce, RoundsEachResultOnceAndPropagatesNan) {
  const HostTensor x = numbers({3}, {16777216, 1, 1}, DType::f32);
  EXPECT_EQ(run_op(cumulative(ReduceKind::sum, 0, false, DType::f32), {x}),
            numbers({3}, {16777216, 16777216, 16777218}, DType::f32));
  const HostTensor result =
      run_op(cumulative(ReduceKind::max, 0), {numbers({4}, {1, kNan, 5, kNan})});
  EXPECT_EQ(result.as<double>()[0], 1);
  for (const std::size_t i : {1, 2, 3}) EXPECT_TRUE(std::isnan(result.as<double>()[i]));
}

TEST(CumulativeReduce, TypeRule) {
  const TensorType x{DType::f64, {2, 3}};
  EXPECT_EQ(type_rule(cumulative(ReduceKind::sum, 2), {x}),
            "cumulative_reduce: axis 2 is out of range for f64[2,3] of rank 2");
  EXPECT_EQ(
      type_rule(cumulative(ReduceKind::argmax, 0), {x}),
      "cumulative_reduce: kind argmax is not one of sum, product, min, max (operand f64[2,3])");
  EXPECT_EQ(
      type_rule(cumulative(ReduceKind::max, 0, false, DType::boolean), {{DType::boolean, {2}}}),
      "cumulative_reduce: max takes numbers, got bool[2]");
  EXPECT_EQ(
      type_rule(cumulative(ReduceKind::sum, 0, false, DType::f32), {x}),
      "cumulative_reduce: sum of f64[2,3] cannot accumulate in f32; use f64 or a wider float");
  EXPECT_EQ(type_rule(cumulative(ReduceKind::sum, 0), {}),
            "cumulative_reduce: expected 1 operand, got none");
}

TEST(CumulativeReduce, ExtremesRouteToTheElementThatSetThem) {
  const HostTensor ones = numbers({6}, {1, 10, 100, 1000, 10000, 100000});
  EXPECT_EQ(
      gradients_of(cumulative(ReduceKind::max, 0), {numbers({6}, {2, 2, 1, 5, 5, 4})}, {ones})[0],
      numbers({6}, {111, 0, 0, 111000, 0, 0}));
  EXPECT_EQ(gradients_of(cumulative(ReduceKind::min, 0, true), {numbers({6}, {0, 3, 1, 4, 4, 9})},
                         {ones})[0],
            numbers({6}, {1, 0, 110, 0, 11000, 100000}));
}

TEST(CumulativeReduce, DerivativesMatchFiniteDifferences) {
  const HostTensor x = numbers({2, 5, 1}, {1.5, -2, 0.25, 3, -1, 0.5, 2.5, 1, -0.75, 4});
  for (const bool reverse : {false, true})
    for (const ReduceKind kind :
         {ReduceKind::sum, ReduceKind::product, ReduceKind::min, ReduceKind::max})
      for (const std::int64_t axis : {0, 1, 2}) {
        SCOPED_TRACE(
            fmt::format("kind {}, axis {}, reverse {}", static_cast<int>(kind), axis, reverse));
        expect_derivatives(cumulative(kind, axis, reverse), {x});
      }
}

TEST(CumulativeReduce, ProductDerivativesAreExactWithZeros) {
  const HostTensor x = numbers({5}, {2, 0, 3, 0, 5});
  // y = 2, 0, 0, 0, 0; dy1/dx1 = 2, dy2/dx1 = 6.
  EXPECT_EQ(
      gradients_of(cumulative(ReduceKind::product, 0), {x}, {numbers({5}, {1, 1, 1, 1, 1})})[0],
      numbers({5}, {1, 8, 0, 0, 0}));
  expect_derivatives(cumulative(ReduceKind::product, 0), {x});
  expect_derivatives(cumulative(ReduceKind::product, 0, true), {x});
}

}  // namespace
}  // namespace tenon::ir

#include "gradient_testing.h"
#include "tenon/ir/ops/contraction.h"

namespace tenon::ir {
namespace {

Dot dot_of(Axes lhs_contracting, Axes rhs_contracting, DType result = DType::f64,
           Axes lhs_batch = {}, Axes rhs_batch = {}) {
  return {std::move(lhs_batch),
          std::move(rhs_batch),
          std::move(lhs_contracting),
          std::move(rhs_contracting),
          result,
          Precision::highest};
}

TEST(Dot, MultipliesMatrices) {
  const HostTensor x = numbers({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(run_op(dot_of({1}, {0}), {x, x}), numbers({2, 2}, {7, 10, 15, 22}));
  EXPECT_EQ(run_op(dot_of({1}, {1}), {x, x}), numbers({2, 2}, {5, 11, 11, 25}));
  EXPECT_EQ(run_op(dot_of({0, 1}, {0, 1}), {x, x}), numbers({}, {30}));
  EXPECT_EQ(run_op(dot_of({0, 1}, {1, 0}), {x, x}), numbers({}, {29}));
  EXPECT_EQ(run_op(dot_of({}, {}), {numbers({2}, {1, 2}), numbers({3}, {3, 4, 5})}),
            numbers({2, 3}, {3, 4, 5, 6, 8, 10}));
  EXPECT_EQ(run_op(dot_of({0}, {0}, DType::f64, {1}, {1}), {x, x}), numbers({2}, {10, 20}));
}

TEST(Dot, OfNothingIsZero) {
  EXPECT_EQ(run_op(dot_of({1}, {0}),
                   {HostTensor({DType::f64, {2, 0}}), HostTensor({DType::f64, {0, 1}})}),
            numbers({2, 1}, {0, 0}));
  EXPECT_EQ(run_op(dot_of({1}, {0}),
                   {HostTensor({DType::f64, {0, 2}}), HostTensor({DType::f64, {2, 1}})}),
            numbers({0, 1}, {}));
}

TEST(Dot, RoundsOnceToTheResultType) {
  const HostTensor x = numbers({3}, {16777216, 1, 1}, DType::f32);
  const HostTensor ones = numbers({3}, {1, 1, 1}, DType::f32);
  EXPECT_EQ(run_op(dot_of({0}, {0}, DType::f32), {x, ones}), make_scalar<float>(16777218));
  const HostTensor half = numbers({2}, {300, 300}, DType::f16);
  EXPECT_EQ(run_op(dot_of({0}, {0}, DType::f32), {half, half}), make_scalar<float>(180000));
  EXPECT_EQ(element_as_double(run_op(dot_of({0}, {0}, DType::f16), {half, half}), 0),
            std::numeric_limits<double>::infinity());
}

TEST(Dot, IntegersWrapInTheResultType) {
  const HostTensor x = numbers({2}, {100, -100}, DType::i8);
  EXPECT_EQ(run_op(dot_of({0}, {0}, DType::i32), {x, x}), make_scalar<std::int32_t>(20000));
  EXPECT_EQ(run_op(dot_of({0}, {0}, DType::i8), {x, x}), make_scalar<std::int8_t>(32));
}

TEST(Dot, TypeRule) {
  const TensorType x{DType::f32, {128, 512}}, y{DType::f32, {784, 10}};
  const auto matmul = dot_of({1}, {0}, DType::f32);
  EXPECT_EQ(type_rule(matmul, {x, {DType::f32, {512, 10}}}), "accepted: f32[128,10]");
  EXPECT_EQ(type_rule(dot_of({3}, {0}, DType::f32, {1, 0}, {2, 1}),
                      {{DType::f32, {2, 3, 4, 5}}, {DType::f32, {5, 2, 3, 6}}}),
            "accepted: f32[3,2,4,6]");
  EXPECT_EQ(type_rule(matmul, {x, y}),
            "dot: contracting extents differ: axis 1 of lhs f32[128,512] has 512, axis 0 of rhs "
            "f32[784,10] has 784");
  EXPECT_EQ(type_rule(matmul, {x}), "dot: expected 2 operands, got 1 (f32[128,512])");
  EXPECT_EQ(type_rule(matmul, {x, {DType::f64, {512, 10}}}),
            "dot: operands have different element types: f32[128,512], f64[512,10]");
  EXPECT_EQ(type_rule(matmul, {{DType::boolean, {2, 2}}, {DType::boolean, {2, 2}}}),
            "dot: takes numbers, got bool[2,2], bool[2,2]");
  EXPECT_EQ(type_rule(matmul, {{DType::i32, {2, 2}}, {DType::i32, {2, 2}}}),
            "dot: operands i32[2,2], i32[2,2] cannot give a result of f32; use an integer type");
  EXPECT_EQ(
      type_rule(dot_of({1}, {0}, DType::i32), {x, x}),
      "dot: operands f32[128,512], f32[128,512] cannot give a result of i32; use a float type");
  EXPECT_EQ(
      type_rule(dot_of({2}, {0}, DType::f32), {x, y}),
      "dot: lhs axis 2 is out of range for f32[128,512] (operands f32[128,512], f32[784,10])");
  EXPECT_EQ(
      type_rule(dot_of({1}, {-1}, DType::f32), {x, y}),
      "dot: rhs axis -1 is out of range for f32[784,10] (operands f32[128,512], f32[784,10])");
  EXPECT_EQ(type_rule(dot_of({1}, {0}, DType::f32, {1}, {1}), {x, y}),
            "dot: lhs axis 1 is named twice among batch axes [1] and contracting axes [1] "
            "(operands f32[128,512], f32[784,10])");
  EXPECT_EQ(type_rule(dot_of({1, 0}, {0}, DType::f32), {x, y}),
            "dot: contracting axes [1, 0] of lhs and [0] of rhs differ in number (f32[128,512], "
            "f32[784,10])");
  EXPECT_EQ(type_rule(dot_of({}, {}, DType::f32, {0}, {0}), {x, y}),
            "dot: batch extents differ: axis 0 of lhs f32[128,512] has 128, axis 0 of rhs "
            "f32[784,10] has 784");
  const TensorType huge{DType::f32, {1LL << 32}};
  EXPECT_EQ(type_rule(dot_of({}, {}, DType::f32), {huge, huge}),
            "dot: result f32[4294967296,4294967296] is too large: its bytes do not fit in 63 bits");
}

TEST(Dot, DerivativesMatchFiniteDifferences) {
  struct Sample {
    Dot op;
    Shape lhs, rhs;
  };
  const std::vector<Sample> all = {
      {dot_of({1}, {0}), {2, 3}, {3, 4}},
      {dot_of({0}, {1}), {3, 2}, {4, 3}},
      {dot_of({0}, {0}), {3}, {3}},
      {dot_of({}, {}), {2}, {3}},
      {dot_of({2}, {1}, DType::f64, {0}, {0}), {2, 3, 2}, {2, 2, 3}},
      {dot_of({3, 1}, {0, 2}, DType::f64, {2, 0}, {3, 1}), {2, 3, 2, 4}, {4, 2, 3, 2}},
      {dot_of({0, 2}, {1, 0}), {2, 3, 4}, {4, 2, 3}},
  };
  for (const Sample& sample : all) {
    HostTensor x = counting(sample.lhs), y = counting(sample.rhs);
    for (double& v : x.as<double>()) v = v / 8 - 1;
    for (double& v : y.as<double>()) v = 2 - v / 4;
    SCOPED_TRACE(to_string(x.type()) + to_string(y.type()));
    expect_derivatives(sample.op, {x, y});
  }
}

TEST(Dot, GradientsHaveTheOperandsTypes) {
  const HostTensor x = numbers({1, 2}, {1, 2}, DType::bf16);
  const HostTensor y = numbers({2, 1}, {3, 4}, DType::bf16);
  const HostTensors gradients =
      gradients_of(dot_of({1}, {0}, DType::f32), {x, y}, {numbers({1, 1}, {2}, DType::f32)});
  EXPECT_EQ(gradients[0], numbers({1, 2}, {6, 8}, DType::bf16));
  EXPECT_EQ(gradients[1], numbers({2, 1}, {2, 4}, DType::bf16));
}

}  // namespace
}  // namespace tenon::ir

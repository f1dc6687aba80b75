#include "tenon/ir/ops/composite.h"

#include <cmath>

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

using D = DType;

void expect_near(const HostTensor& actual, std::initializer_list<double> expected,
                 double tolerance = 1e-12) {
  ASSERT_EQ(actual.size(), static_cast<std::int64_t>(expected.size()));
  std::int64_t i = 0;
  for (const double value : expected) {
    EXPECT_NEAR(element_as_double(actual, i), value, tolerance) << "element " << i;
    ++i;
  }
}

TEST(Softmax, ValuesAndLargeOperands) {
  expect_near(run_op(Softmax{0}, {numbers({3}, {1, 2, 3})}),
              {0.09003057317038046, 0.24472847105479764, 0.6652409557748218});
  expect_near(run_op(Softmax{0}, {numbers({2}, {1000, 1000}, D::f32)}), {0.5, 0.5}, 0);
  expect_near(run_op(LogSoftmax{0}, {numbers({2}, {-1000, 1000}, D::f32)}), {-2000, 0}, 0);
  expect_near(run_op(LogSoftmax{1}, {numbers({1, 2}, {0, 0})}), {-std::log(2.0), -std::log(2.0)});
}

TEST(Softmax, NarrowTypesRoundOnce) {
  const HostTensor x = numbers({3}, {0.5, -1.25, 2}, D::bf16);
  const HostTensor wide = run_op(Softmax{0}, {converted(x, D::f32)});
  EXPECT_EQ(run_op(Softmax{0}, {x}), converted(wide, D::bf16));
}

TEST(Softmax, Derivatives) {
  const HostTensor x = numbers({2, 3}, {0.5, -1, 2, 0.25, 1.5, -0.75});
  for (const std::int64_t axis : {0, 1}) {
    expect_derivatives(Softmax{axis}, {x});
    expect_derivatives(LogSoftmax{axis}, {x});
  }
}

TEST(Softmax, TypeRule) {
  EXPECT_EQ(type_rule(Softmax{1}, {{D::f16, {2, 3}}}), "accepted: f16[2,3]");
  EXPECT_EQ(type_rule(Softmax{0}, {{D::i32, {2}}}),
            "softmax: x must be of a float type, got i32[2]");
  EXPECT_TRUE(type_rule(Softmax{2}, {{D::f32, {2, 3}}}).starts_with("softmax: "));
  EXPECT_TRUE(type_rule(LogSoftmax{0}, {}).starts_with("log_softmax: "));
}

TEST(SparseCrossEntropy, Values) {
  const HostTensors results = run_op_results(
      SparseCrossEntropy{}, {numbers({2, 3}, {1, 2, 3, 1000, 0, 0}), numbers({2}, {2, 0}, D::i32)});
  expect_near(results[0], {0.40760596444438, 0}, 1e-12);
  expect_near(results[1], {3.40760596444438, 1000}, 1e-12);
}

TEST(SparseCrossEntropy, GradientIsProbabilityMinusOneHot) {
  // Label 9 clamps to the last class; i8 cannot even say 299.
  for (const D labels : {D::u8, D::i64}) {
    const HostTensors gradients =
        gradients_of(SparseCrossEntropy{}, {numbers({1, 2}, {0, 0}), numbers({1}, {9}, labels)},
                     {numbers({1}, {1}), numbers({1}, {0})});
    expect_near(gradients[0], {0.5, -0.5}, 1e-12);
  }
  const HostTensor logits = filled({D::f64, {1, 300}}, 0);
  const HostTensors wide = gradients_of(SparseCrossEntropy{}, {logits, numbers({1}, {5}, D::i8)},
                                        {numbers({1}, {1}), numbers({1}, {0})});
  EXPECT_NEAR(element_as_double(wide[0], 5), 1 / 300.0 - 1, 1e-12);
  EXPECT_NEAR(element_as_double(wide[0], 5 + 256), 1 / 300.0, 1e-12);
}

TEST(SparseCrossEntropy, DerivativesOfBothResults) {
  expect_derivatives(SparseCrossEntropy{}, {numbers({2, 3}, {0.5, -1, 2, 0.25, 1.5, -0.75}),
                                            numbers({2}, {2, 0}, D::i32)});
}

TEST(SparseCrossEntropy, TypeRule) {
  EXPECT_EQ(type_rule(SparseCrossEntropy{}, {{D::bf16, {2, 3}}, {D::u8, {2}}}),
            "accepted: bf16[2] f32[2]");
  EXPECT_EQ(type_rule(SparseCrossEntropy{}, {{D::f32, {2, 3}}, {D::f32, {2}}}),
            "sparse_cross_entropy: labels must be integers of shape [2] for logits f32[2,3], got "
            "f32[2]");
  EXPECT_EQ(type_rule(SparseCrossEntropy{}, {{D::f32, {2, 3}}, {D::i32, {2, 3}}}),
            "sparse_cross_entropy: labels must be integers of shape [2] for logits f32[2,3], got "
            "i32[2,3]");
  EXPECT_EQ(type_rule(SparseCrossEntropy{}, {{D::f32, {2, 0}}, {D::i32, {2}}}),
            "sparse_cross_entropy: logits need a last axis of at least one class, got f32[2,0]");
}

const HostTensor& norm_operand() {
  static const HostTensor x = numbers({2, 3}, {1, 2, 6, -1, 0.5, 0.25});
  return x;
}

TEST(LayerNorm, Values) {
  const HostTensors results = run_op_results(
      LayerNorm{0},
      {numbers({1, 4}, {1, 2, 3, 4}), numbers({4}, {1, 1, 1, 2}), numbers({4}, {0, 0, 0, 1})});
  const double rstd = 1 / std::sqrt(1.25);
  expect_near(results[0], {-1.5 * rstd, -0.5 * rstd, 0.5 * rstd, 3 * rstd + 1});
  expect_near(results[1], {2.5});
  expect_near(results[2], {rstd});
}

TEST(LayerNorm, DerivativesOfAllResults) {
  const HostTensor scale = numbers({3}, {1, -0.5, 2}), offset = numbers({3}, {0.5, 0, 1});
  expect_derivatives(LayerNorm{1e-3}, {norm_operand(), scale, offset});
  expect_derivatives(RmsNorm{1e-3}, {norm_operand(), scale});
  expect_derivatives(LayerNormGradient{},
                     {norm_operand(), scale, numbers({2}, {3, 0}), numbers({2}, {0.5, 1.5}),
                      numbers({2, 3}, {1, -1, 0.5, 2, 0, 1})});
}

TEST(LayerNorm, GradientIsTheCompositeOne) {
  Builder b;
  std::vector<Value> inputs;
  for (const Shape& shape : {Shape{2, 3}, Shape{3}, Shape{3}})
    inputs.push_back(b.input({"x", {D::f32, shape}, Role::data, {}}));
  const Value y = b.add(LayerNorm{}, inputs);
  const Value loss = reduce_sum(b, y, {0, 1});
  autodiff::append_gradients(b, loss, inputs);
  int found = 0;
  const Graph graph = std::move(b).finish({loss});
  for (const Node& node : graph.nodes())
    found += std::holds_alternative<LayerNormGradient>(node.op);
  EXPECT_EQ(found, 1);
}

TEST(LayerNorm, TypeRule) {
  const TensorType x{D::f16, {2, 3}}, features{D::f16, {3}};
  EXPECT_EQ(type_rule(LayerNorm{}, {x, features, features}), "accepted: f16[2,3] f32[2] f32[2]");
  EXPECT_EQ(type_rule(LayerNorm{}, {x, {D::f16, {2}}, features}),
            "layer_norm: scale must be f16[3], got f16[2]");
  EXPECT_EQ(type_rule(RmsNorm{}, {{D::f32, {}}, features}),
            "rms_norm: x needs a last axis of at least one feature, got f32[]");
}

TEST(RmsNorm, Values) {
  expect_near(run_op(RmsNorm{0}, {numbers({2}, {3, 4}), numbers({2}, {1, 2})}),
              {3 / std::sqrt(12.5), 8 / std::sqrt(12.5)});
}

TEST(Attention, ValuesAndCausality) {
  const HostTensor q = numbers({2, 1}, {0, 0}), k = numbers({2, 1}, {1, 2});
  const HostTensor v = numbers({2, 2}, {1, 2, 3, 6});
  expect_near(run_op(Attention{1, false}, {q, k, v}), {2, 4, 2, 4});
  expect_near(run_op(Attention{1, true}, {q, k, v}), {1, 2, 2, 4});
  // One query at the end of a longer history sees all of it.
  expect_near(run_op(Attention{1, true}, {numbers({1, 1}, {0}), k, v}), {2, 4});
}

TEST(Attention, Derivatives) {
  const HostTensor q = numbers({2, 2}, {0.5, -1, 1, 0.25});
  const HostTensor k = numbers({3, 2}, {1, 0.5, -0.5, 2, 0.75, -1});
  const HostTensor v = numbers({3, 1}, {1, -2, 0.5});
  for (const bool causal : {false, true}) expect_derivatives(Attention{0.5, causal}, {q, k, v});
}

TEST(Attention, TypeRule) {
  const TensorType q{D::f32, {5, 2, 4}}, k{D::f32, {5, 3, 4}}, v{D::f32, {5, 3, 6}};
  EXPECT_EQ(type_rule(Attention{}, {q, k, v}), "accepted: f32[5,2,6]");
  EXPECT_EQ(type_rule(Attention{}, {q, v, k}),
            "attention: q [..., T, D], k [..., S, D] and v [..., S, E] of one float type expected, "
            "got f32[5,2,4], f32[5,3,6] and f32[5,3,4]");
  EXPECT_EQ(type_rule(Attention{1, true}, {k, q, q}),
            "attention: causal needs at least as many keys as queries, got q f32[5,3,4] and k "
            "f32[5,2,4]");
  // Too large to address: the error still names the op that the user wrote.
  const TensorType huge{D::f32, {std::int64_t{1} << 40, 1}};
  EXPECT_TRUE(type_rule(Attention{}, {huge, huge, huge}).starts_with("attention: "));
}

TEST(AdamUpdate, FirstStepsFollowTheAlgorithm) {
  const double beta1 = 0.9, beta2 = 0.999, rate = 0.01, epsilon = 1e-8, decay = 0.1;
  double w = 0.5, m = 0, v = 0;
  HostTensors state = {numbers({}, {w}), numbers({}, {m}), numbers({}, {v})};
  for (int step = 1; step <= 5; ++step) {
    const double g = 0.3 * step - 1;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double m_hat = m / (1 - std::pow(beta1, step)), v_hat = v / (1 - std::pow(beta2, step));
    w = w - rate * decay * w - rate * m_hat / (std::sqrt(v_hat) + epsilon);
    state = run_op_results(AdamUpdate{},
                           {state[0], numbers({}, {g}), state[1], state[2], numbers({}, {rate}),
                            numbers({}, {beta1}), numbers({}, {beta2}), numbers({}, {epsilon}),
                            numbers({}, {decay}), numbers({}, {static_cast<double>(step)})});
    expect_near(state[0], {w}, 1e-14);
    expect_near(state[1], {m}, 1e-14);
    expect_near(state[2], {v}, 1e-14);
  }
}

TEST(AdamUpdate, TypeRule) {
  TensorTypes types(4, {D::f32, {3}});
  types.insert(types.end(), 6, {D::f32, {}});
  EXPECT_EQ(type_rule(AdamUpdate{}, types), "accepted: f32[3] f32[3] f32[3]");
  types[2] = {D::f32, {4}};
  EXPECT_EQ(type_rule(AdamUpdate{}, types), "adam_update: m must be f32[3], got f32[4]");
  types[2] = types[0];
  types[9] = {D::i32, {}};
  EXPECT_EQ(type_rule(AdamUpdate{}, types), "adam_update: step must be f32[], got i32[]");
}

TEST(MomentumUpdate, Values) {
  const HostTensors inputs = {numbers({}, {1}), numbers({}, {0.5}), numbers({}, {2}),
                              numbers({}, {0.1}), numbers({}, {0.9})};
  const HostTensors plain = run_op_results(MomentumUpdate{false}, inputs);
  expect_near(plain[0], {1 - 0.1 * 2.3});
  expect_near(plain[1], {2.3});
  const HostTensors nesterov = run_op_results(MomentumUpdate{true}, inputs);
  expect_near(nesterov[0], {1 - 0.1 * (0.5 + 0.9 * 2.3)});
  expect_near(nesterov[1], {2.3});
}

}  // namespace
}  // namespace tenon::ir

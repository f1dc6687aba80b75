#include "gradient_testing.h"
#include "tenon/ir/ops/contraction.h"

namespace tenon::ir {
namespace {

// Channels last: input and output [batch, spatial..., feature], kernel [spatial..., in, out].
Convolution channels_last(std::size_t spatial, DType result = DType::f64) {
  Convolution op;
  const auto n = static_cast<std::int64_t>(spatial);
  for (std::int64_t i = 0; i < n; ++i) {
    op.input_spatial.push_back(i + 1);
    op.kernel_spatial.push_back(i);
  }
  op.output_spatial = op.input_spatial;
  op.input_feature = op.output_feature = n + 1;
  op.kernel_input = n;
  op.kernel_output = n + 1;
  op.strides = op.base_dilation = op.window_dilation = Shape(spatial, 1);
  op.low = op.high = Shape(spatial, 0);
  op.result = result;
  return op;
}

HostTensor line_input() { return numbers({1, 5, 1}, {1, 2, 3, 4, 5}); }

TEST(Convolution, IsACrossCorrelation) {
  const HostTensor kernel = numbers({2, 1, 1}, {10, 1});
  Convolution op = channels_last(1);
  EXPECT_EQ(run_op(op, {line_input(), kernel}), numbers({1, 4, 1}, {12, 23, 34, 45}));
  op.low = {1};
  op.high = {2};
  EXPECT_EQ(run_op(op, {line_input(), kernel}), numbers({1, 7, 1}, {1, 12, 23, 34, 45, 50, 0}));
  op.low = {-1};
  op.high = {-2};
  EXPECT_EQ(run_op(op, {line_input(), kernel}), numbers({1, 1, 1}, {23}));
}

TEST(Convolution, StridesAndDilations) {
  const HostTensor kernel = numbers({2, 1, 1}, {10, 1});
  Convolution op = channels_last(1);
  op.strides = {3};
  EXPECT_EQ(run_op(op, {line_input(), kernel}), numbers({1, 2, 1}, {12, 45}));
  op.strides = {1};
  op.window_dilation = {3};
  EXPECT_EQ(run_op(op, {line_input(), kernel}), numbers({1, 2, 1}, {14, 25}));
  op.window_dilation = {1};
  op.base_dilation = {2};
  EXPECT_EQ(run_op(op, {line_input(), kernel}), numbers({1, 8, 1}, {10, 2, 20, 3, 30, 4, 40, 5}));
  op.low = {-1};
  EXPECT_EQ(run_op(op, {line_input(), kernel}), numbers({1, 7, 1}, {2, 20, 3, 30, 4, 40, 5}));
}

TEST(Convolution, Groups) {
  Convolution op = channels_last(0);
  op.feature_groups = 2;
  // [1, 4] features in two groups of two; kernel [2, 2]: one output per group.
  EXPECT_EQ(run_op(op, {numbers({1, 4}, {1, 2, 3, 4}), numbers({2, 2}, {1, 10, 100, 1000})}),
            numbers({1, 2}, {201, 4030}));
  op.feature_groups = 1;
  op.batch_groups = 2;
  // Batch [a, b | c, d]: output 0 sees a, b; output 1 sees c, d.
  EXPECT_EQ(run_op(op, {numbers({4, 1}, {1, 2, 3, 4}), numbers({1, 2}, {10, 100})}),
            numbers({2, 2}, {10, 300, 20, 400}));
}

TEST(Convolution, EmptyBatchAndFeatures) {
  const HostTensor kernel = numbers({2, 1, 1}, {10, 1});
  EXPECT_EQ(run_op(channels_last(1), {HostTensor({DType::f64, {0, 5, 1}}), kernel}),
            numbers({0, 4, 1}, {}));
  EXPECT_EQ(run_op(channels_last(1),
                   {HostTensor({DType::f64, {1, 2, 0}}), HostTensor({DType::f64, {2, 0, 1}})}),
            numbers({1, 1, 1}, {0}));
}

TEST(Convolution, TypeRule) {
  const TensorType input{DType::f32, {2, 5, 6, 3}}, kernel{DType::f32, {3, 3, 3, 4}};
  const Convolution good = channels_last(2, DType::f32);
  EXPECT_EQ(type_rule(good, {input, kernel}), "accepted: f32[2,3,4,4]");
  const auto changed = [&](auto&& change) {
    Convolution op = good;
    change(op);
    return type_rule(op, {input, kernel});
  };
  EXPECT_EQ(type_rule(good, {input}), "convolution: expected 2 operands, got 1 (f32[2,5,6,3])");
  EXPECT_EQ(type_rule(good, {input, {DType::f64, {3, 3, 3, 4}}}),
            "convolution: operands have different element types: f32[2,5,6,3], f64[3,3,3,4]");
  EXPECT_EQ(type_rule(good, {input, {DType::f32, {3, 3, 4}}}),
            "convolution: input f32[2,5,6,3] and kernel f32[3,3,4] must have one rank, at least 2");
  EXPECT_EQ(type_rule(good, {input, {DType::f32, {3, 3, 2, 4}}}),
            "convolution: input f32[2,5,6,3] has 3 features in 1 group, kernel f32[3,3,2,4] takes "
            "2");
  EXPECT_EQ(type_rule(good, {input, {DType::f32, {6, 3, 3, 4}}}),
            "convolution: on spatial axis 0 a kernel that reaches over 6 elements does not fit 5 "
            "(with dilation and padding): input f32[2,5,6,3], kernel f32[6,3,3,4]");
  EXPECT_EQ(type_rule(good, {input, {DType::f32, {0, 3, 3, 4}}}),
            "convolution: spatial axis 0 of kernel f32[0,3,3,4] is empty");
  EXPECT_EQ(changed([](Convolution& op) {
              op.input_spatial = {1, 1};
            }),
            "convolution: input axes [0, 3, 1, 1] do not name each of the 4 axes once (input "
            "f32[2,5,6,3], kernel f32[3,3,3,4])");
  EXPECT_EQ(changed([](Convolution& op) { op.kernel_spatial = {0}; }),
            "convolution: kernel axes [2, 3, 0] do not name each of the 4 axes once (input "
            "f32[2,5,6,3], kernel f32[3,3,3,4])");
  EXPECT_EQ(changed([](Convolution& op) { op.output_batch = -1; }),
            "convolution: output axes [-1, 3, 1, 2] do not name each of the 4 axes once (input "
            "f32[2,5,6,3], kernel f32[3,3,3,4])");
  EXPECT_EQ(changed([](Convolution& op) { op.strides = {1}; }),
            "convolution: strides [1] has 1 entry, there are 2 spatial axes");
  EXPECT_EQ(changed([](Convolution& op) {
              op.strides = {1, 0};
            }),
            "convolution: strides [1, 0] has an entry below 1");
  EXPECT_EQ(changed([](Convolution& op) {
              op.window_dilation = {0, 1};
            }),
            "convolution: window_dilation [0, 1] has an entry below 1");
  EXPECT_EQ(changed([](Convolution& op) {
              op.high = {-5, 0};
            }),
            "convolution: on spatial axis 0 a kernel that reaches over 3 elements does not fit 0 "
            "(with dilation and padding): input f32[2,5,6,3], kernel f32[3,3,3,4]");
  EXPECT_EQ(changed([](Convolution& op) { op.feature_groups = 2; }),
            "convolution: input f32[2,5,6,3] has 3 features in 2 groups, kernel f32[3,3,3,4] takes "
            "3");
  EXPECT_EQ(changed([](Convolution& op) { op.batch_groups = 4; }),
            "convolution: batch 2 of input f32[2,5,6,3] does not divide into 4 groups");
  EXPECT_EQ(changed([](Convolution& op) { op.batch_groups = 3; }),
            "convolution: 4 output features of kernel f32[3,3,3,4] do not divide into 3 groups");
  EXPECT_EQ(changed([](Convolution& op) { op.batch_groups = op.feature_groups = 2; }),
            "convolution: feature_groups 2 and batch_groups 2 must be at least 1 and not both "
            "above 1");
  EXPECT_EQ(changed([](Convolution& op) { op.result = DType::i32; }),
            "convolution: operands f32[2,5,6,3], f32[3,3,3,4] cannot give a result of i32; use a "
            "float type");
  EXPECT_EQ(changed([](Convolution& op) {
              op.base_dilation = {1LL << 62, 1};
            }),
            "convolution: 4 * 4611686018427387904 does not fit in 63 bits");
  EXPECT_EQ(changed([](Convolution& op) {
              op.low = {0x7fffffffffffffff, 0};
            }),
            "convolution: 5 + 9223372036854775807 does not fit in 63 bits");
}

struct Sample {
  Convolution op;
  Shape input, kernel;
};

void expect_convolution_derivatives(const Sample& sample) {
  HostTensor x = counting(sample.input), y = counting(sample.kernel);
  for (double& v : x.as<double>()) v = std::sin(v);
  for (double& v : y.as<double>()) v = std::cos(2 * v);
  SCOPED_TRACE(to_string(x.type()) + to_string(y.type()));
  expect_derivatives(sample.op, {x, y});
}

TEST(Convolution, DerivativesMatchFiniteDifferencesOnALine) {
  struct Setting {
    std::int64_t stride, low, high, base, window;
  };
  for (const Setting& s : {Setting{1, 0, 0, 1, 1}, Setting{2, 1, 2, 1, 1}, Setting{3, 0, 1, 2, 1},
                           Setting{1, -1, -2, 1, 1}, Setting{2, 4, 3, 3, 2},
                           Setting{2, -2, 3, 2, 3}, Setting{5, 3, 0, 1, 2}}) {
    Convolution op = channels_last(1);
    op.strides = {s.stride};
    op.low = {s.low};
    op.high = {s.high};
    op.base_dilation = {s.base};
    op.window_dilation = {s.window};
    SCOPED_TRACE(fmt::format("stride {}, padding {} {}, dilations {} {}", s.stride, s.low, s.high,
                             s.base, s.window));
    expect_convolution_derivatives({op, {2, 6, 2}, {3, 2, 2}});
    op.feature_groups = 2;
    expect_convolution_derivatives({op, {1, 6, 4}, {3, 2, 2}});
    op.feature_groups = 1;
    op.batch_groups = 2;
    expect_convolution_derivatives({op, {4, 6, 1}, {3, 1, 4}});
  }
}

TEST(Convolution, DerivativesMatchFiniteDifferencesInThePlane) {
  Convolution op = channels_last(2);
  op.strides = {2, 1};
  op.low = {1, 0};
  op.high = {1, -1};
  op.window_dilation = {1, 2};
  expect_convolution_derivatives({op, {2, 4, 6, 2}, {3, 2, 2, 3}});
  Convolution depthwise = channels_last(2);
  depthwise.feature_groups = 3;
  depthwise.low = depthwise.high = {1, 1};
  expect_convolution_derivatives({depthwise, {1, 3, 4, 3}, {2, 3, 1, 6}});
  // Every tensor in another order of axes.
  Convolution odd = channels_last(2);
  odd.input_batch = 3, odd.input_feature = 1, odd.input_spatial = {2, 0};
  odd.kernel_input = 3, odd.kernel_output = 0, odd.kernel_spatial = {2, 1};
  odd.output_batch = 2, odd.output_feature = 0, odd.output_spatial = {3, 1};
  odd.strides = {1, 2};
  odd.high = {2, 1};
  expect_convolution_derivatives({odd, {4, 2, 3, 2}, {3, 2, 2, 2}});
  odd.feature_groups = 2;
  expect_convolution_derivatives({odd, {4, 2, 3, 2}, {4, 2, 2, 1}});
  odd.feature_groups = 1;
  odd.batch_groups = 2;
  expect_convolution_derivatives({odd, {4, 2, 3, 2}, {4, 2, 2, 2}});
  expect_convolution_derivatives({channels_last(0), {3, 2}, {2, 4}});
}

TEST(Convolution, GradientsHaveTheOperandsTypes) {
  Convolution op = channels_last(1, DType::f32);
  const HostTensors gradients = gradients_of(
      op, {numbers({1, 3, 1}, {1, 2, 3}, DType::bf16), numbers({2, 1, 1}, {10, 1}, DType::bf16)},
      {numbers({1, 2, 1}, {1, 2}, DType::f32)});
  EXPECT_EQ(gradients[0], numbers({1, 3, 1}, {10, 21, 2}, DType::bf16));
  EXPECT_EQ(gradients[1], numbers({2, 1, 1}, {5, 8}, DType::bf16));
}

TEST(Convolution, GradientsOfAnEmptyBatchAreZero) {
  const HostTensor kernel = numbers({2, 1, 1}, {10, 1});
  const HostTensors gradients =
      gradients_of(channels_last(1), {HostTensor({DType::f64, {0, 5, 1}}), kernel},
                   {HostTensor({DType::f64, {0, 4, 1}})});
  EXPECT_EQ(gradients[0], numbers({0, 5, 1}, {}));
  EXPECT_EQ(gradients[1], numbers({2, 1, 1}, {0, 0}));
}

}  // namespace
}  // namespace tenon::ir

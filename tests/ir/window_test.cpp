#include "tenon/ir/ops/window.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

Window line(std::int64_t size, std::int64_t stride, std::int64_t low = 0, std::int64_t high = 0,
            std::int64_t dilation = 1) {
  return {{size}, {stride}, {low}, {high}, {dilation}};
}
WindowReduce window_of(ReduceKind kind, Window window, DType accumulate = DType::f64) {
  return {kind, std::move(window), accumulate};
}
WindowSelect select_of(ReduceKind kind, WindowDirection direction, Window window) {
  return {kind, direction, std::move(window)};
}

TEST(WindowReduce, SlidesOverOneAxis) {
  const HostTensor x = numbers({6}, {3, 1, 4, 1, 5, 9});
  EXPECT_EQ(run_op(window_of(ReduceKind::max, line(2, 2)), {x}), numbers({3}, {3, 4, 9}));
  EXPECT_EQ(run_op(window_of(ReduceKind::min, line(3, 1)), {x}), numbers({4}, {1, 1, 1, 1}));
  EXPECT_EQ(run_op(window_of(ReduceKind::sum, line(3, 1)), {x}), numbers({4}, {8, 6, 10, 15}));
  EXPECT_EQ(run_op(window_of(ReduceKind::sum, line(2, 1, 0, 0, 3)), {x}), numbers({3}, {4, 6, 13}));
  EXPECT_EQ(run_op(window_of(ReduceKind::sum, line(4, 4, 2, 1)), {x}), numbers({2}, {4, 19}));
}

TEST(WindowReduce, PaddingHoldsTheNeutralElement) {
  const HostTensor x = numbers({2}, {-3, -5});
  EXPECT_EQ(run_op(window_of(ReduceKind::max, line(2, 1, 2, 2)), {x}),
            numbers({5}, {-kInfinity, -3, -3, -5, -kInfinity}));
  EXPECT_EQ(run_op(window_of(ReduceKind::min, line(1, 1, 1, 0)), {x}),
            numbers({3}, {kInfinity, -3, -5}));
  EXPECT_EQ(run_op(window_of(ReduceKind::sum, line(2, 1, 2, 2)), {x}),
            numbers({5}, {0, -3, -8, -5, 0}));
}

TEST(WindowReduce, PropagatesNanAndWraps) {
  const HostTensor result =
      run_op(window_of(ReduceKind::max, line(2, 1)), {numbers({4}, {1, kNan, 2, 3})});
  EXPECT_TRUE(std::isnan(result.as<double>()[0]));
  EXPECT_TRUE(std::isnan(result.as<double>()[1]));
  EXPECT_EQ(result.as<double>()[2], 3);
  EXPECT_EQ(run_op(window_of(ReduceKind::sum, line(2, 1), DType::u8),
                   {numbers({2}, {200, 100}, DType::u8)}),
            numbers({1}, {44}, DType::u8));
}

TEST(WindowReduce, PoolsImages) {
  const Window pool{{1, 2, 2, 1}, {1, 2, 2, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}, {1, 1, 1, 1}};
  EXPECT_EQ(run_op(window_of(ReduceKind::max, pool), {counting({1, 4, 4, 1})}),
            numbers({1, 2, 2, 1}, {5, 7, 13, 15}));
}

TEST(WindowReduce, EmptyAxesThatDoNotSlide) {
  const Window pool{{1, 2}, {1, 2}, {0, 0}, {0, 0}, {1, 1}};
  EXPECT_EQ(run_op(window_of(ReduceKind::sum, pool), {HostTensor({DType::f64, {0, 4}})}),
            numbers({0, 2}, {}));
}

TEST(WindowReduce, TypeRule) {
  const TensorType x{DType::f64, {6}};
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(2, 2)), {x}), "accepted: f64[3]");
  EXPECT_EQ(type_rule(window_of(ReduceKind::product, line(2, 2)), {x}),
            "window_reduce: kind product is not one of sum, min, max (operand f64[6])");
  EXPECT_EQ(
      type_rule(window_of(ReduceKind::max, line(2, 2), DType::boolean), {{DType::boolean, {6}}}),
      "window_reduce: max takes numbers, got bool[6]");
  EXPECT_EQ(type_rule(window_of(ReduceKind::sum, line(2, 2), DType::f32), {x}),
            "window_reduce: sum of f64[6] cannot accumulate in f32; use f64 or a wider float");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(7, 1)), {x}),
            "window_reduce: a window that reaches over 7 elements does not fit axis 0 of [6]: 6 "
            "elements with padding");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(3, 1, 0, 0, 3)), {x}),
            "window_reduce: a window that reaches over 7 elements does not fit axis 0 of [6]: 6 "
            "elements with padding");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(0, 1)), {x}),
            "window_reduce: window size [0] has an entry below 1");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(1, 0)), {x}),
            "window_reduce: window strides [0] has an entry below 1");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(1, 1, -1)), {x}),
            "window_reduce: window low [-1] has an entry below 0");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(1, 1)), {{DType::f64, {2, 3}}}),
            "window_reduce: window size [1] has 1 entry, the shape [2, 3] needs 2");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(1, 1, 1LL << 62, 1LL << 62)), {x}),
            "window_reduce: 4611686018427387910 + 4611686018427387904 does not fit in 63 bits");
  EXPECT_EQ(type_rule(window_of(ReduceKind::max, line(1, 1, 1LL << 61)), {x}),
            "window_reduce: result f64[2305843009213693958] is too large: its bytes do not fit in "
            "63 bits");
}

TEST(WindowSelect, TakesTheFirstExtreme) {
  const HostTensor x = numbers({6}, {2, 2, 1, 3, 3, 0});
  EXPECT_EQ(run_op(select_of(ReduceKind::max, WindowDirection::gather, line(2, 2)),
                   {x, numbers({6}, {10, 11, 12, 13, 14, 15})}),
            numbers({3}, {10, 13, 14}));
  EXPECT_EQ(run_op(select_of(ReduceKind::max, WindowDirection::scatter, line(2, 2)),
                   {x, numbers({3}, {5, 6, 7})}),
            numbers({6}, {5, 0, 0, 6, 7, 0}));
  EXPECT_EQ(run_op(select_of(ReduceKind::max, WindowDirection::scatter, line(3, 1)),
                   {x, numbers({4}, {1, 10, 100, 1000})}),
            numbers({6}, {1, 0, 0, 1110, 0, 0}));
  EXPECT_EQ(run_op(select_of(ReduceKind::min, WindowDirection::gather, line(3, 1)),
                   {x, numbers({6}, {10, 11, 12, 13, 14, 15})}),
            numbers({4}, {12, 12, 12, 15}));
}

TEST(WindowSelect, TakesTheFirstNanAndNothingFromPadding) {
  const HostTensor x = numbers({3}, {1, kNan, kNan});
  EXPECT_EQ(run_op(select_of(ReduceKind::max, WindowDirection::gather, line(2, 1, 2, 2)),
                   {x, numbers({3}, {5, 6, 7})}),
            numbers({6}, {0, 5, 6, 6, 7, 0}));
  EXPECT_EQ(run_op(select_of(ReduceKind::max, WindowDirection::scatter, line(2, 1, 2, 2)),
                   {x, numbers({6}, {100, 1, 1, 1, 1, 100})}),
            numbers({3}, {1, 2, 1}));
}

TEST(WindowSelect, TypeRule) {
  const TensorType x{DType::f64, {6}};
  const auto scatter = select_of(ReduceKind::max, WindowDirection::scatter, line(2, 2));
  EXPECT_EQ(type_rule(scatter, {x}), "window_select: expected 2 operands, got 1 (f64[6])");
  EXPECT_EQ(type_rule(scatter, {x, {DType::f64, {4}}}),
            "window_select: scatter of f64[6] expects a second operand f64[3], got f64[4]");
  EXPECT_EQ(type_rule(select_of(ReduceKind::min, WindowDirection::gather, line(2, 2)),
                      {x, {DType::f64, {3}}}),
            "window_select: gather of f64[6] expects a second operand f64[6], got f64[3]");
  EXPECT_EQ(type_rule(scatter, {x, {DType::f32, {3}}}),
            "window_select: operands have different element types: f64[6], f32[3]");
  EXPECT_EQ(type_rule(select_of(ReduceKind::sum, WindowDirection::scatter, line(2, 2)), {x, x}),
            "window_select: kind sum is not one of min, max (operand f64[6])");
}

TEST(Window, DerivativesMatchFiniteDifferences) {
  const HostTensor x = numbers({8}, {1.5, -2, 0.25, 3, -1, 0.5, 2.5, 1});
  const std::vector<Window> windows = {line(3, 1),          line(2, 2),          line(3, 2, 1, 1),
                                       line(2, 3, 0, 0, 4), line(3, 4, 2, 5, 2), line(1, 3, 2, 2),
                                       line(2, 5, 4, 0)};
  for (const Window& window : windows)
    for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::min, ReduceKind::max}) {
      SCOPED_TRACE(fmt::format("kind {}, size {}, stride {}", static_cast<int>(kind),
                               window.size[0], window.strides[0]));
      if (kind != ReduceKind::sum && window.size[0] == 1) continue;  // infinities in the padding
      if (kind != ReduceKind::sum && window.low[0] == 4) continue;
      expect_derivatives(window_of(kind, window), {x});
    }
  const Window plane{{2, 3}, {2, 1}, {1, 0}, {0, 1}, {1, 1}};
  const HostTensor y = numbers({3, 4}, {4, 0, -3, 2.5, 1, -1, 7, 3.5, -2, 6, 0.5, -4});
  for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::min, ReduceKind::max})
    expect_derivatives(window_of(kind, plane), {y});
  expect_derivatives(select_of(ReduceKind::max, WindowDirection::gather, plane),
                     {y, numbers({3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})});
  expect_derivatives(select_of(ReduceKind::min, WindowDirection::scatter, line(3, 1)),
                     {x, numbers({6}, {1, 2, 3, 4, 5, 6})});
}

TEST(Window, GradientOfAnEmptyAxisIsEmpty) {
  const HostTensor x({DType::f64, {0}});
  EXPECT_EQ(
      gradients_of(window_of(ReduceKind::sum, line(2, 1, 2, 2)), {x}, {numbers({3}, {1, 1, 1})})[0],
      x);
}

}  // namespace
}  // namespace tenon::ir

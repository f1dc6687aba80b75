#include "tenon/ir/ops/indexing.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

HostTensor indices_of(Shape shape, std::initializer_list<double> values, DType dtype = DType::i32) {
  return numbers(std::move(shape), values, dtype);
}

TEST(Gather, TakesRowsColumnsAndPoints) {
  const HostTensor x = counting({3, 2});
  EXPECT_EQ(run_op(Gather{{0}, 0}, {x, indices_of({2, 1}, {2, 0})}), numbers({2, 2}, {4, 5, 0, 1}));
  EXPECT_EQ(run_op(Gather{{1}, 0}, {x, indices_of({1}, {1})}), numbers({3}, {1, 3, 5}));
  EXPECT_EQ(run_op(Gather{{0, 1}, 0}, {x, indices_of({2, 2}, {2, 1, 0, 1})}), numbers({2}, {5, 1}));
  EXPECT_EQ(run_op(Gather{{1, 0}, 0}, {x, indices_of({2, 2}, {1, 2, 1, 0})}), numbers({2}, {5, 1}));
}

TEST(Gather, BatchAxesGoTogether) {
  const HostTensor x = counting({2, 3});
  EXPECT_EQ(run_op(Gather{{1}, 1}, {x, indices_of({2, 2, 1}, {2, 0, 1, 1})}),
            numbers({2, 2}, {2, 0, 4, 4}));
}

TEST(Gather, IndicesClamp) {
  const HostTensor x = counting({3});
  EXPECT_EQ(run_op(Gather{{0}, 0}, {x, indices_of({4, 1}, {-1, 3, -100, 100})}),
            numbers({4}, {0, 2, 0, 2}));
  EXPECT_EQ(run_op(Gather{{0}, 0}, {x, make_tensor<std::uint64_t>({1, 1}, {~std::uint64_t{0}})}),
            numbers({1}, {2}));
  EXPECT_EQ(run_op(Gather{{0}, 0}, {x, make_tensor<std::int64_t>(
                                           {1, 1}, {std::numeric_limits<std::int64_t>::min()})}),
            numbers({1}, {0}));
}

TEST(Gather, OfNothing) {
  EXPECT_EQ(run_op(Gather{{0}, 0}, {counting({3, 2}), indices_of({0, 1}, {})}),
            numbers({0, 2}, {}));
  EXPECT_EQ(run_op(Gather{{0}, 0}, {HostTensor({DType::f64, {0, 2}}), indices_of({0, 1}, {})}),
            numbers({0, 2}, {}));
}

TEST(Gather, TypeRule) {
  const TensorType x{DType::f32, {4, 5, 6}}, indices{DType::i32, {7, 1}};
  EXPECT_EQ(type_rule(Gather{{1}, 0}, {x, indices}), "accepted: f32[7,4,6]");
  EXPECT_EQ(type_rule(Gather{{2}, 1}, {x, {DType::u8, {4, 3, 1}}}), "accepted: f32[4,3,5]");
  EXPECT_EQ(type_rule(Gather{{1}, 0}, {x}), "gather: expected 2 operands, got 1 (f32[4,5,6])");
  EXPECT_EQ(type_rule(Gather{{1}, 0}, {x, {DType::f32, {7, 1}}}),
            "gather: indices must be integers, got f32[7,1] (operands f32[4,5,6], f32[7,1])");
  EXPECT_EQ(type_rule(Gather{{}, 0}, {x, indices}), "gather: names no axis of f32[4,5,6]");
  EXPECT_EQ(type_rule(Gather{{3}, 0}, {x, indices}),
            "gather: axis 3 is out of range for f32[4,5,6] of rank 3");
  EXPECT_EQ(type_rule(Gather{{1, 1}, 0}, {x, {DType::i32, {7, 2}}}),
            "gather: axes [1, 1] of f32[4,5,6] name an axis twice");
  EXPECT_EQ(type_rule(Gather{{0}, 1}, {x, {DType::i32, {4, 1}}}),
            "gather: axis 0 of f32[4,5,6] is one of the 1 batch axes");
  EXPECT_EQ(type_rule(Gather{{1}, 1}, {x, indices}),
            "gather: batch axis 0 differs: f32[4,5,6] and indices i32[7,1]");
  EXPECT_EQ(type_rule(Gather{{1}, -1}, {x, indices}),
            "gather: -1 batch axes are not below the ranks of f32[4,5,6] and indices i32[7,1]");
  EXPECT_EQ(type_rule(Gather{{1}, 0}, {x, {DType::i32, {}}}),
            "gather: 0 batch axes are not below the ranks of f32[4,5,6] and indices i32[]");
  EXPECT_EQ(type_rule(Gather{{0, 1}, 0}, {x, indices}),
            "gather: the last axis of indices i32[7,1] must hold one index for each of the axes "
            "[0, 1] of f32[4,5,6]");
  EXPECT_EQ(type_rule(Gather{{0}, 0}, {{DType::f32, {0, 2}}, indices}),
            "gather: axis 0 of f32[0,2] is empty, there is nothing for indices i32[7,1] to read");
  EXPECT_EQ(type_rule(Gather{{0}, 0}, {{DType::f32, {1, 1LL << 40}}, {DType::i32, {1LL << 40, 1}}}),
            "gather: result f32[1099511627776,1099511627776] is too large: its bytes do not fit in "
            "63 bits");
}

HostTensor scattered(ScatterKind kind, const HostTensor& x, const HostTensor& indices,
                     const HostTensor& updates, Axes axes = {0}, std::int64_t batch = 0) {
  return run_op(Scatter{kind, std::move(axes), batch}, {x, indices, updates});
}

TEST(Scatter, CombinesDuplicatesInOrderAndDropsOutOfRange) {
  const HostTensor x = numbers({4}, {1, 2, 3, 4});
  const HostTensor indices = indices_of({6, 1}, {1, -1, 3, 1, 4, 1});
  const HostTensor updates = numbers({6}, {10, 20, -30, 40, 50, 5});
  EXPECT_EQ(scattered(ScatterKind::add, x, indices, updates), numbers({4}, {1, 57, 3, -26}));
  EXPECT_EQ(scattered(ScatterKind::set, x, indices, updates), numbers({4}, {1, 5, 3, -30}));
  EXPECT_EQ(scattered(ScatterKind::multiply, x, indices, updates),
            numbers({4}, {1, 4000, 3, -120}));
  EXPECT_EQ(scattered(ScatterKind::min, x, indices, updates), numbers({4}, {1, 2, 3, -30}));
  EXPECT_EQ(scattered(ScatterKind::max, x, indices, updates), numbers({4}, {1, 40, 3, 4}));
}

TEST(Scatter, WritesSlicesAlongAnyAxisAndBatch) {
  EXPECT_EQ(scattered(ScatterKind::set, numbers({2, 3}, {0, 0, 0, 0, 0, 0}),
                      indices_of({1, 1}, {2}), numbers({1, 2}, {7, 8}), {1}),
            numbers({2, 3}, {0, 0, 7, 0, 0, 8}));
  EXPECT_EQ(scattered(ScatterKind::add, numbers({2, 2}, {0, 0, 0, 0}),
                      indices_of({2, 2, 1}, {0, 0, 1, 5}), numbers({2, 2}, {1, 2, 3, 4}), {1}, 1),
            numbers({2, 2}, {3, 0, 0, 3}));
}

TEST(Scatter, RoundsOrWrapsAtEachUpdate) {
  const HostTensor x = numbers({1}, {16777216}, DType::f32);
  EXPECT_EQ(
      scattered(ScatterKind::add, x, indices_of({2, 1}, {0, 0}), numbers({2}, {1, 1}, DType::f32)),
      numbers({1}, {16777216}, DType::f32));
  EXPECT_EQ(scattered(ScatterKind::add, numbers({1}, {200}, DType::u8), indices_of({1, 1}, {0}),
                      numbers({1}, {100}, DType::u8)),
            numbers({1}, {44}, DType::u8));
  // Narrow floats round once: one by one 2048 + 1 would stay 2048.
  EXPECT_EQ(scattered(ScatterKind::add, numbers({1}, {2048}, DType::f16),
                      indices_of({2, 1}, {0, 0}), numbers({2}, {1, 1}, DType::f16)),
            numbers({1}, {2050}, DType::f16));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(
      std::isnan(element_as_double(scattered(ScatterKind::max, numbers({1}, {1}),
                                             indices_of({2, 1}, {0, 0}), numbers({2}, {nan, 5})),
                                   0)));
}

TEST(Scatter, TypeRule) {
  const TensorType x{DType::f32, {4, 5}}, indices{DType::i32, {7, 1}};
  const Scatter add{ScatterKind::add, {0}, 0};
  EXPECT_EQ(type_rule(add, {x, indices, {DType::f32, {7, 5}}}), "accepted: f32[4,5]");
  EXPECT_EQ(type_rule(add, {x, indices}),
            "scatter: expected 3 operands, got 2 (f32[4,5], i32[7,1])");
  EXPECT_EQ(type_rule(add, {x, indices, {DType::f32, {7, 4}}}),
            "scatter: f32[4,5] with indices i32[7,1] takes updates f32[7,5], got f32[7,4]");
  EXPECT_EQ(type_rule(add, {x, indices, {DType::f64, {7, 5}}}),
            "scatter: f32[4,5] with indices i32[7,1] takes updates f32[7,5], got f64[7,5]");
  EXPECT_EQ(type_rule(add, {{DType::boolean, {4}}, indices, {DType::boolean, {7}}}),
            "scatter: add takes numbers, got bool[4]");
  EXPECT_EQ(type_rule(Scatter{ScatterKind::set, {0}, 0},
                      {{DType::boolean, {4}}, indices, {DType::boolean, {7}}}),
            "accepted: bool[4]");
  EXPECT_EQ(type_rule(Scatter{ScatterKind::add, {2}, 0}, {x, indices, x}),
            "scatter: axis 2 is out of range for f32[4,5] of rank 2");
}

TEST(Gather, GradientGoesToTheClampedPlaces) {
  EXPECT_EQ(gradients_of(Gather{{0}, 0}, {counting({3}), indices_of({4, 1}, {-7, 2, 2, 9})},
                         {numbers({4}, {1, 10, 100, 1000})})[0],
            numbers({3}, {1, 0, 1110}));
  // An index type that cannot hold the last index.
  EXPECT_EQ(gradients_of(Gather{{0}, 0}, {counting({300}), indices_of({2, 1}, {255, 1}, DType::u8)},
                         {numbers({2}, {5, 6})})[0]
                .as<double>()[255],
            5);
}

TEST(Scatter, GradientOfSetGoesToTheLastWriter) {
  const HostTensors gradients =
      gradients_of(Scatter{ScatterKind::set, {0}, 0},
                   {counting({4}), indices_of({5, 1}, {1, 3, 1, -1, 7}), counting({5})},
                   {numbers({4}, {1, 10, 100, 1000})});
  EXPECT_EQ(gradients[0], numbers({4}, {1, 0, 100, 0}));
  EXPECT_EQ(gradients[1], numbers({5}, {0, 1000, 10, 0, 0}));
}

TEST(Scatter, GradientsOfDroppedUpdatesAreZero) {
  const HostTensors gradients = gradients_of(
      Scatter{ScatterKind::add, {0}, 0},
      {counting({2}), indices_of({4, 1}, {1, -1, 2, 1}), counting({4})}, {numbers({2}, {3, 5})});
  EXPECT_EQ(gradients[0], numbers({2}, {3, 5}));
  EXPECT_EQ(gradients[1], numbers({4}, {5, 0, 0, 5}));
}

TEST(Scatter, GradientOfExtremesIsSharedAmongTies) {
  const HostTensors gradients = gradients_of(
      Scatter{ScatterKind::max, {0}, 0},
      {numbers({2}, {7, 1}), indices_of({4, 1}, {0, 0, 1, 5}), numbers({4}, {7, 7, 2, 2})},
      {numbers({2}, {6, 5})});
  EXPECT_EQ(gradients[0], numbers({2}, {2, 0}));
  EXPECT_EQ(gradients[1], numbers({4}, {2, 2, 5, 0}));
}

TEST(Scatter, GradientOfMultiplyIsExactWithZeros) {
  const HostTensors gradients = gradients_of(
      Scatter{ScatterKind::multiply, {0}, 0},
      {numbers({2}, {2, 3}), indices_of({4, 1}, {0, 0, 1, 0}), numbers({4}, {5, 0, 7, 11})},
      {numbers({2}, {1, 1})});
  EXPECT_EQ(gradients[0], numbers({2}, {0, 7}));
  EXPECT_EQ(gradients[1], numbers({4}, {0, 110, 3, 0}));
}

TEST(Indexing, DerivativesMatchFiniteDifferences) {
  const HostTensor x = numbers({3, 4}, {1.5, -2, 0.25, 3, -1, 0.5, 2.5, 1, -0.75, 0, 4, -3});
  const HostTensor rows = indices_of({5, 1}, {2, 0, 2, -4, 7});
  const HostTensor points = indices_of({2, 2, 2}, {0, 1, 3, 2, 0, 1, 9, 0});
  const HostTensor batched = indices_of({3, 2, 1}, {0, 3, 3, 3, -1, 2});
  expect_derivatives(Gather{{0}, 0}, {x, rows});
  expect_derivatives(Gather{{1, 0}, 0}, {x, points});
  expect_derivatives(Gather{{1}, 1}, {x, batched});
  HostTensor wide = counting({5, 4}), square = counting({2, 2}), pairs = counting({3, 2});
  for (HostTensor* updates : {&wide, &square, &pairs})
    for (double& v : updates->as<double>()) v = 2 * std::sin(1 + 3 * v);
  for (const ScatterKind kind : {ScatterKind::set, ScatterKind::add, ScatterKind::multiply,
                                 ScatterKind::min, ScatterKind::max}) {
    SCOPED_TRACE(static_cast<int>(kind));
    expect_derivatives(Scatter{kind, {0}, 0}, {x, rows, wide});
    expect_derivatives(Scatter{kind, {1, 0}, 0}, {x, points, square});
    expect_derivatives(Scatter{kind, {1}, 1}, {x, batched, pairs});
  }
  wide.as<double>()[1] = wide.as<double>()[9] = 0;
  expect_derivatives(Scatter{ScatterKind::multiply, {0}, 0}, {x, rows, wide});
}

}  // namespace
}  // namespace tenon::ir

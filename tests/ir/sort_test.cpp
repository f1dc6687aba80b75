#include "tenon/ir/ops/sort.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

TEST(Sort, SortsAlongAnAxisAndCarriesOthersAlong) {
  const HostTensor keys = numbers({2, 3}, {3, 1, 2, -1, 5, 0});
  const HostTensors results = run_op_results(Sort{1, false}, {keys, counting({2, 3}, DType::i32)});
  EXPECT_EQ(results[0], numbers({2, 3}, {1, 2, 3, -1, 0, 5}));
  EXPECT_EQ(results[1], numbers({2, 3}, {1, 2, 0, 3, 5, 4}, DType::i32));
  EXPECT_EQ(run_op(Sort{0, true}, {keys}), numbers({2, 3}, {3, 5, 2, -1, 1, 0}));
}

TEST(Sort, IsStableInBothDirections) {
  const HostTensor keys = numbers({6}, {1, 0, 1, 0, 1, 0}, DType::u8);
  EXPECT_EQ(run_op_results(Sort{0, false}, {keys, counting({6})})[1],
            numbers({6}, {1, 3, 5, 0, 2, 4}));
  EXPECT_EQ(run_op_results(Sort{0, true}, {keys, counting({6})})[1],
            numbers({6}, {0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(
      run_op_results(Sort{0, false}, {numbers({3}, {1, 0, 1}, DType::boolean), counting({3})})[1],
      numbers({3}, {1, 0, 2}));
}

TEST(Sort, NanComesLastAndZerosAreEqual) {
  const HostTensor keys = numbers({7}, {kNan, 0.0, kInfinity, -0.0, kNan, -kInfinity, 1});
  const HostTensor order = counting({7});
  EXPECT_EQ(run_op_results(Sort{0, false}, {keys, order})[1], numbers({7}, {5, 1, 3, 6, 2, 0, 4}));
  EXPECT_EQ(run_op_results(Sort{0, true}, {keys, order})[1], numbers({7}, {2, 6, 1, 3, 5, 0, 4}));
  EXPECT_TRUE(std::signbit(run_op(Sort{0, false}, {keys}).as<double>()[2]));
  const HostTensor narrow = converted(keys, DType::bf16);
  EXPECT_EQ(run_op_results(Sort{0, false}, {narrow, order})[1],
            numbers({7}, {5, 1, 3, 6, 2, 0, 4}));
}

TEST(Sort, OfNothing) {
  const HostTensor empty({DType::f64, {2, 0}});
  EXPECT_EQ(run_op(Sort{1, false}, {empty}), empty);
  EXPECT_EQ(run_op(Sort{0, false}, {empty}), empty);
  EXPECT_EQ(gradients_of(Sort{1, false}, {empty}, {empty})[0], empty);
}

TEST(Sort, TypeRule) {
  const TensorType keys{DType::f32, {2, 3}};
  EXPECT_EQ(type_rule(Sort{1, false}, {keys, {DType::i32, {2, 3}}}), "accepted: f32[2,3] i32[2,3]");
  EXPECT_EQ(type_rule(Sort{1, false}, {}), "sort: expected at least 1 operand, got none");
  EXPECT_EQ(type_rule(Sort{2, false}, {keys}),
            "sort: axis 2 is out of range for f32[2,3] of rank 2");
  EXPECT_EQ(type_rule(Sort{0, false}, {{DType::f32, {}}}),
            "sort: axis 0 is out of range for f32[] of rank 0");
  EXPECT_EQ(type_rule(Sort{1, false}, {keys, {DType::f32, {3, 2}}}),
            "sort: operands have different shapes: f32[2,3], f32[3,2]");
}

TEST(Sort, GradientsReturnToWhereTheElementsCameFrom) {
  const HostTensors gradients =
      gradients_of(Sort{0, true}, {numbers({4}, {2, 9, 2, 5}), counting({4})},
                   {numbers({4}, {1, 2, 3, 4}), numbers({4}, {10, 20, 30, 40})});
  EXPECT_EQ(gradients[0], numbers({4}, {3, 1, 4, 2}));
  EXPECT_EQ(gradients[1], numbers({4}, {30, 10, 40, 20}));
}

TEST(Sort, DerivativesMatchFiniteDifferences) {
  const HostTensor keys = numbers({2, 3, 2}, {1.5, -2, 0.25, 3, -1, 0.5, 2.5, 1, -0.75, 0, 4, -3});
  for (const bool descending : {false, true})
    for (const std::int64_t axis : {0, 1, 2}) {
      expect_derivatives(Sort{axis, descending}, {keys, counting({2, 3, 2})});
      expect_derivatives(Sort{axis, descending}, {counting({2, 3, 2}, DType::i32), keys});
    }
}

}  // namespace
}  // namespace tenon::ir

#include "tenon/ir/ops/annotation.h"

#include "gradient_testing.h"

namespace tenon::ir {
namespace {

Sharding sharding_over(std::vector<std::vector<std::string>> axes) {
  return {{{{"data", 4}, {"model", 2}}}, std::move(axes)};
}

TEST(Barrier, PassesEveryValue) {
  const HostTensor x = counting({2}), n = make_scalar<std::int32_t>(3);
  EXPECT_EQ(run_op_results(Barrier{1}, {x, n}), (HostTensors{x, n}));
  EXPECT_EQ(type_rule(Barrier{1}, {}), "barrier: expected at least 1 operand, got none");
  EXPECT_EQ(type_rule(Barrier{1}, {kMatrix, {DType::i32, {}}}), "accepted: f32[2,3] i32[]");
  expect_derivatives(Barrier{1}, {x, counting({1, 2})});
}

TEST(Barrier, IsMergedOnlyWithItsOwnId) {
  Builder b;
  const Value x = b.input({"x", kMatrix, Role::data, Sharding{}});
  EXPECT_NE(b.add(Barrier{1}, {x}), b.add(Barrier{2}, {x}));
  EXPECT_EQ(b.add(Barrier{1}, {x}), b.add(Barrier{1}, {x}));
}

TEST(ShardingConstraint, PassesItsValue) {
  const ShardingConstraint op{sharding_over({{"data"}, {}})};
  EXPECT_EQ(run_op(op, {counting({4, 3})}), counting({4, 3}));
  expect_derivatives(op, {counting({4, 3})});
}

TEST(ShardingConstraint, TypeRule) {
  EXPECT_EQ(type_rule(ShardingConstraint{}, {kMatrix}), "accepted: f32[2,3]");
  EXPECT_EQ(type_rule(ShardingConstraint{sharding_over({{"data", "model"}, {}})}, {kMatrix}),
            "accepted: f32[2,3]");
  EXPECT_EQ(type_rule(ShardingConstraint{}, {}),
            "sharding_constraint: expected 1 operand, got none");
  EXPECT_EQ(type_rule(ShardingConstraint{sharding_over({{"data"}})}, {kMatrix}),
            "sharding_constraint: sharding has 1 entry, but the operand f32[2,3] has rank 2");
  EXPECT_EQ(type_rule(ShardingConstraint{sharding_over({{"rows"}, {}})}, {kMatrix}),
            "sharding_constraint: the mesh has no axis \"rows\" to split f32[2,3] over");
  EXPECT_EQ(type_rule(ShardingConstraint{sharding_over({{"data"}, {"data"}})}, {kMatrix}),
            "sharding_constraint: mesh axis \"data\" splits two axes of f32[2,3]");
  EXPECT_EQ(type_rule(ShardingConstraint{{{{{"a", 0}}}, {}}}, {kMatrix}),
            "sharding_constraint: mesh axis \"a\" has size 0; expected at least 1");
  EXPECT_EQ(type_rule(ShardingConstraint{{{{{"a", 1}, {"a", 2}}}, {}}}, {kMatrix}),
            "sharding_constraint: mesh axis \"a\" is named twice");
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_EQ(type_rule(ShardingConstraint{{{{{"a", huge}, {"b", huge}}}, {}}}, {kMatrix}),
            "sharding_constraint: mesh size: 1099511627776 * 1099511627776 does not fit in 63 "
            "bits");
}

}  // namespace
}  // namespace tenon::ir

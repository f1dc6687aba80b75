// Cases of barriers and sharding constraints.
#include "case.h"

namespace tenon::conformance {
using namespace ir;

TENON_OP_CASES(Barrier) {
  std::vector<Case> all;
  std::vector<HostTensor> every_type;
  for (const DType dtype : kAllDTypes)
    every_type.push_back(random_tensor({dtype, {17}}, every_type.size(), 0, 9));
  all.push_back(single_op_case("barrier/every type", Barrier{1}, std::move(every_type)));
  all.push_back(single_op_case(
      "barrier/two values", Barrier{2},
      {random_tensor({DType::f64, {2, 3}}, 1), random_tensor({DType::f64, {}}, 2)}, true));
  all.push_back(
      single_op_case("barrier/empty", Barrier{3}, {random_tensor({DType::f32, {0, 3}}, 3)}));
  return all;
}

TENON_OP_CASES(ShardingConstraint) {
  const ShardingConstraint rows{{{{{"data", 1}}}, {{"data"}, {}}}};
  std::vector<Case> all;
  all.push_back(single_op_case("sharding_constraint/replicated", ShardingConstraint{},
                               {random_tensor({DType::f32, {3, 17}}, 1)}));
  all.push_back(single_op_case("sharding_constraint/rows", rows,
                               {random_tensor({DType::f64, {2, 3}}, 2)}, true));
  all.push_back(
      single_op_case("sharding_constraint/empty", rows, {random_tensor({DType::i32, {0, 3}}, 3)}));
  return all;
}

}  // namespace tenon::conformance

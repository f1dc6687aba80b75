// Identities that carry information: barriers and sharding constraints.
#pragma once
#include "tenon/ir/ops/definition.h"
#include "tenon/ir/sharding.h"

namespace tenon::ir {

// Identity on n values. Never merged with another (the id differs) or folded across.
struct Barrier {
  static constexpr std::string_view kName = "barrier";
  std::int64_t id = 0;
  bool operator==(const Barrier&) const = default;
  static void fields(auto& op, auto&& visit) { visit("id", op.id); }
};

// Identity on one value that says how it is spread over the mesh.
struct ShardingConstraint {
  static constexpr std::string_view kName = "sharding_constraint";
  Sharding sharding;
  bool operator==(const ShardingConstraint&) const = default;
  static void fields(auto& op, auto&& visit) { visit("sharding", op.sharding); }
};

TensorTypes infer_types(const Barrier& op, OperandTypes types);
HostTensors evaluate(const Barrier& op, OperandValues values);
Gradients gradient(const Barrier& op, const GradientInputs& in);

TensorTypes infer_types(const ShardingConstraint& op, OperandTypes types);
HostTensors evaluate(const ShardingConstraint& op, OperandValues values);
Gradients gradient(const ShardingConstraint& op, const GradientInputs& in);

}  // namespace tenon::ir

#include "tenon/ir/ops/annotation.h"

#include <algorithm>
#include <set>

#include "tenon/ir/build.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {

TensorTypes infer_types(const Barrier& op, OperandTypes types) {
  require_operands_at_least(op.kName, types, 1);
  return {types.begin(), types.end()};
}

HostTensors evaluate(const Barrier&, OperandValues values) {
  HostTensors results;
  for (const HostTensor* value : values) results.push_back(*value);
  return results;
}

Gradients gradient(const Barrier&, const GradientInputs& in) {
  return {in.upstream.begin(), in.upstream.end()};
}

TensorTypes infer_types(const ShardingConstraint& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  const auto& mesh = op.sharding.mesh.axes;
  std::set<std::string_view> known;
  std::int64_t devices = 1;
  for (const MeshAxis& axis : mesh) {
    require(axis.size >= 1, "{}: mesh axis \"{}\" has size {}; expected at least 1", op.kName,
            axis.name, axis.size);
    require(known.insert(axis.name).second, "{}: mesh axis \"{}\" is named twice", op.kName,
            axis.name);
    devices = checked_multiply(devices, axis.size, "sharding_constraint: mesh size");
  }
  if (!op.sharding.axes.empty())
    require_length(op.kName, "sharding", op.sharding.axes.size(), types[0]);
  std::set<std::string_view> used;
  for (const auto& names : op.sharding.axes) {
    for (const std::string& name : names) {
      require(known.contains(name), "{}: the mesh has no axis \"{}\" to split {} over", op.kName,
              name, types[0]);
      require(used.insert(name).second, "{}: mesh axis \"{}\" splits two axes of {}", op.kName,
              name, types[0]);
    }
  }
  return {types[0]};
}

HostTensors evaluate(const ShardingConstraint&, OperandValues values) {
  return one_result(*values[0]);
}

Gradients gradient(const ShardingConstraint& op, const GradientInputs& in) {
  if (!in.upstream[0]) return no_gradients(in);
  return {in.builder.add(op, {*in.upstream[0]})};
}

}  // namespace tenon::ir

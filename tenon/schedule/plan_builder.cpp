#include "tenon/schedule/plan_builder.h"

#include "tenon/base/hash.h"

namespace tenon::schedule {

namespace {

// Equal for equal programs; unequal ones mostly differ in these.
std::uint64_t shape_hash(const kernel::Kernel& kernel) {
  std::uint64_t hash = hash_combine(static_cast<std::uint64_t>(kernel.grid),
                                    static_cast<std::uint64_t>(kernel.team));
  const auto mix = [&](std::int64_t value) {
    hash = hash_combine(hash, static_cast<std::uint64_t>(value));
  };
  for (const kernel::Buffer& buffer : kernel.buffers) {
    mix(buffer.elements);
    mix(static_cast<std::int64_t>(buffer.dtype));
  }
  mix(static_cast<std::int64_t>(kernel.values.size()));
  mix(static_cast<std::int64_t>(kernel.body.statements.size()));
  for (const kernel::Statement& statement : kernel.body.statements)
    mix(static_cast<std::int64_t>(statement.instruction.index()));
  return hash;
}

}  // namespace

BufferRef PlanBuilder::add_buffer(std::string name, std::int64_t bytes, Place place,
                                  std::uint32_t index) {
  plan.buffers.push_back({std::move(name), bytes, place, index, 0, false});
  return {static_cast<std::uint32_t>(plan.buffers.size() - 1), 0, {}};
}

BufferRef PlanBuilder::constant(const ir::ConstantRef& value) {
  const auto [first, last] = constants_.equal_range(value.hash());
  for (auto found = first; found != last; ++found)
    if (found->second.first == value) return {found->second.second, 0, {}};
  const auto index = static_cast<std::uint32_t>(plan.constants.size());
  const BufferRef ref = add_buffer(fmt::format("constant_{}", index), byte_size(value->type()),
                                   Place::constant, index);
  plan.constants.push_back(*value);
  constants_.emplace(value.hash(), std::pair(value, ref.buffer));
  return ref;
}

std::uint32_t PlanBuilder::add_kernel(kernel::Kernel kernel) {
  const std::uint64_t hash = shape_hash(kernel);
  const auto [first, last] = kernels_by_hash_.equal_range(hash);
  for (auto found = first; options_.share_kernels && found != last; ++found)
    if (plan.kernels[found->second].same_program(kernel)) return found->second;
  const std::string base = kernel.name;
  for (int i = 2; !kernel_names_.insert(kernel.name).second; ++i)
    kernel.name = fmt::format("{}_{}", base, i);
  plan.kernels.push_back(std::move(kernel));
  const auto index = static_cast<std::uint32_t>(plan.kernels.size() - 1);
  kernels_by_hash_.emplace(hash, index);
  return index;
}

std::string PlanBuilder::next_kernel_prefix() { return fmt::format("k{}_", regions_++); }

}  // namespace tenon::schedule

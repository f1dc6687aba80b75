// What all blocks of a plan share while it grows: buffers, kernels and constants.
#pragma once
#include <map>
#include <set>
#include <unordered_map>

#include "tenon/schedule/plan.h"

namespace tenon::schedule {

class PlanBuilder {
 public:
  PlanBuilder(const lower::Target& target, const PlanOptions& options)
      : target_(target), options_(options) {}

  const lower::Target& target() const { return target_; }
  const PlanOptions& options() const { return options_; }

  // A buffer at offset 0 of nothing yet; the arena is laid out when all steps are known.
  BufferRef add_buffer(std::string name, std::int64_t bytes, Place place = Place::arena,
                       std::uint32_t index = 0);
  // The buffer of this constant; equal ones share it.
  BufferRef constant(const ir::ConstantRef& value);
  // The number of an equal kernel, or of this one under a name that is unique in the plan.
  std::uint32_t add_kernel(kernel::Kernel kernel);
  // "k7_": starts the names of the kernels of one region.
  std::string next_kernel_prefix();

  Plan plan;
  OriginRef around;  // the part of the model whose loop or branch is planned; null at the top

 private:
  lower::Target target_;
  PlanOptions options_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> kernels_by_hash_;
  std::set<std::string> kernel_names_;
  std::uint32_t regions_ = 0;
  // With their buffers, by hash.
  std::unordered_multimap<std::uint64_t, std::pair<ir::ConstantRef, std::uint32_t>> constants_;
};

// Where an output of a block goes, and the input whose memory that is, if it is one.
struct BlockTarget {
  BufferRef to;
  std::optional<std::uint32_t> updates_input;
};

// The steps of one graph (the whole step, or the body of a loop or branch `depth` Repeats deep)
// with its inputs and outputs at the given places. An output that updates an input has that
// input's place; the others' places are distinct and overlap no input. `lasting`: see make_units.
std::vector<PlanStep> plan_block(PlanBuilder& builder, const ir::Graph& graph,
                                 std::vector<BufferRef> inputs, std::vector<BlockTarget> outputs,
                                 std::size_t depth, const std::vector<bool>& lasting = {});

}  // namespace tenon::schedule

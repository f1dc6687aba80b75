// Collects the kernels of one region while the op families write them.
#pragma once
#include "tenon/lower/emitter.h"
#include "tenon/lower/tiling.h"

namespace tenon::lower {

// A value of the region and the memory its elements go to.
struct Destination {
  ir::Value value;
  Argument argument;
};

class RegionWriter {
 public:
  RegionWriter(const ir::Graph& graph, const Region& region, const Target& target,
               std::string name);

  const ir::Graph& graph() const { return graph_; }
  const Region& region() const { return region_; }
  const Target& target() const { return target_; }
  const kernel::KernelOptions& options() const { return target_.options; }
  const TensorType& type(ir::Value value) const { return graph_.type(value); }
  // The region's inputs can be read from memory.
  const Context& context() const { return context_; }
  const std::vector<Destination>& outputs() const { return outputs_; }

  Argument input_argument(ir::Value value) const { return {Argument::Kind::input, value, 0}; }
  Argument output_argument(ir::Value value) const { return {Argument::Kind::output, value, 0}; }
  Argument new_scratch(std::int64_t bytes);

  // The region's name for the first kernel without a stage, "name_stage" for others.
  std::string kernel_name(std::string_view stage);
  void add(LoweredRegion kernel);
  std::vector<LoweredRegion> finish() && { return std::move(kernels_); }

 private:
  const ir::Graph& graph_;
  const Region& region_;
  const Target& target_;
  std::string name_;
  Context context_;
  std::vector<Destination> outputs_;
  std::vector<LoweredRegion> kernels_;
  std::map<std::string, int> stages_;
  std::uint32_t scratch_count_ = 0;
};

// --- one function per family; each adds the kernels of the writer's region ---

// Values that are computed element by element. `context` says what lies in memory; by default
// outputs of the region go to their arguments.
void lower_pointwise(RegionWriter& writer);
void lower_pointwise(RegionWriter& writer, const Context& context,
                     const std::vector<Destination>& destinations, std::string_view stage);
// Like lower_pointwise, for values that depend on others which `prepare` makes known for each tile
// (rows x lanes = 1 x some) at row_major(space).
void lower_elements(RegionWriter& writer, const Context& context,
                    const std::vector<Destination>& destinations, std::string_view stage,
                    const std::function<void(Emitter&)>& prepare);
void lower_reduction(RegionWriter& writer);
void lower_dot(RegionWriter& writer, std::uint32_t node);
void lower_convolution(RegionWriter& writer, std::uint32_t node);
void lower_cumulative(RegionWriter& writer, std::uint32_t node);
void lower_window_reduce(RegionWriter& writer, std::uint32_t node);
void lower_window_select(RegionWriter& writer, std::uint32_t node);
void lower_dynamic_update(RegionWriter& writer, std::uint32_t node);
void lower_scatter(RegionWriter& writer, std::uint32_t node);
void lower_sort(RegionWriter& writer, std::uint32_t node);

// One value copied (and converted) to memory of another type; nothing is computed.
void write_copy(RegionWriter& writer, ir::Value x, const Argument& to, const TensorType& type);

// The nodes of the region that combine more than one element into each of theirs.
std::vector<std::uint32_t> reductions_of(const ir::Graph& graph,
                                         std::span<const std::uint32_t> nodes);

}  // namespace tenon::lower

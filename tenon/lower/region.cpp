#include "tenon/lower/region.h"

#include "tenon/base/error.h"
#include "tenon/lower/elements.h"
#include "tenon/lower/region_writer.h"

namespace tenon::lower {

namespace {

std::string describe(const ir::Graph& graph, std::uint32_t node) {
  std::string line = fmt::format("%{} {}", node, ir::name(graph.node(node).op));
  for (const TensorType& type : graph.node(node).results) line += fmt::format(" {}", type);
  if (const ir::NodeInfo* info = graph.info(node); info != nullptr && !info->name.empty())
    line += fmt::format(" \"{}\"", info->name);
  return line;
}

// Whether a value with reductions of more than one element goes into each of the node's.
bool reduces(const ir::Graph& graph, const ir::Node& node) {
  const auto* reduce = std::get_if<ir::Reduce>(&node.op);
  return reduce != nullptr && reduced_count(*reduce, graph.type(node.operands[0])) > 1;
}

}  // namespace

std::vector<std::uint32_t> reductions_of(const ir::Graph& graph,
                                         std::span<const std::uint32_t> nodes) {
  std::vector<std::uint32_t> result;
  for (const std::uint32_t node : nodes)
    if (reduces(graph, graph.node(node))) result.push_back(node);
  return result;
}

RegionWriter::RegionWriter(const ir::Graph& graph, const Region& region, const Target& target,
                           std::string name)
    : graph_(graph),
      region_(region),
      target_(target),
      name_(std::move(name)),
      context_{graph, target, {}, choose_index_type(target, graph, region.nodes)} {
  for (const ir::Value value : region.inputs) context_.memory[value] = input_argument(value);
  for (const ir::Value value : region.outputs) outputs_.push_back({value, output_argument(value)});
}

Argument RegionWriter::new_scratch(std::int64_t bytes) {
  return {Argument::Kind::scratch, {scratch_count_++, 0}, bytes};
}

std::string RegionWriter::kernel_name(std::string_view stage) {
  std::string name = stage.empty() ? name_ : fmt::format("{}_{}", name_, stage);
  const int count = stages_[name]++;
  if (count > 0) name += fmt::format("_{}", count + 1);
  return name;
}

void RegionWriter::add(LoweredRegion kernel) {
  for (const std::uint32_t node : region_.nodes)
    kernel.kernel.comments.push_back(describe(graph_, node));
  kernels_.push_back(std::move(kernel));
}

Fusability fusability(const ir::Op& op) {
  using enum Fusability;
  using namespace ir;
  return std::visit(cases{
                        [](const Parameter&) { return structural; },
                        [](const Constant& constant) {
                          return constant.value->size() == 1 ? pointwise : structural;
                        },
                        [](const Iota&) { return pointwise; },
                        [](const Elementwise&) { return pointwise; },
                        [](const Select&) { return pointwise; },
                        [](const Cast&) { return pointwise; },
                        [](const Bitcast&) { return pointwise; },
                        [](const Broadcast&) { return pointwise; },
                        [](const Reshape&) { return pointwise; },
                        [](const Transpose&) { return pointwise; },
                        [](const Reverse&) { return pointwise; },
                        [](const Slice&) { return pointwise; },
                        [](const Pad&) { return pointwise; },
                        [](const Concatenate&) { return pointwise; },
                        [](const DynamicSlice&) { return pointwise; },
                        [](const DynamicUpdateSlice&) { return alone; },
                        [](const Reduce&) { return reduction; },
                        [](const CumulativeReduce&) { return alone; },
                        [](const WindowReduce&) { return alone; },
                        [](const WindowSelect&) { return alone; },
                        [](const Dot&) { return contraction; },
                        [](const Convolution&) { return contraction; },
                        [](const Gather&) { return pointwise; },
                        [](const Scatter&) { return alone; },
                        [](const Sort&) { return alone; },
                        [](const Scan&) { return structural; },
                        [](const While&) { return structural; },
                        [](const Cond&) { return structural; },
                        [](const CustomGradient&) { return structural; },
                        [](const Barrier&) { return structural; },
                        [](const ShardingConstraint&) { return pointwise; },
                        [](const RandomBits&) { return pointwise; },
                        // Inlined before a plan is made.
                        [](const Softmax&) { return structural; },
                        [](const LogSoftmax&) { return structural; },
                        [](const SparseCrossEntropy&) { return structural; },
                        [](const LayerNorm&) { return structural; },
                        [](const LayerNormGradient&) { return structural; },
                        [](const RmsNorm&) { return structural; },
                        [](const Attention&) { return structural; },
                        [](const AdamUpdate&) { return structural; },
                        [](const MomentumUpdate&) { return structural; },
                    },
                    op);
}

namespace {

// Writes the kernels of a region around its one node that is computed in a special way.
struct AnchorVisitor {
  RegionWriter& writer;
  std::uint32_t node;

  bool operator()(const ir::Dot&) const { return lower_dot(writer, node), true; }
  bool operator()(const ir::Convolution&) const { return lower_convolution(writer, node), true; }
  bool operator()(const ir::CumulativeReduce&) const {
    return lower_cumulative(writer, node), true;
  }
  bool operator()(const ir::WindowReduce&) const { return lower_window_reduce(writer, node), true; }
  bool operator()(const ir::WindowSelect&) const { return lower_window_select(writer, node), true; }
  bool operator()(const ir::DynamicUpdateSlice&) const {
    return lower_dynamic_update(writer, node), true;
  }
  bool operator()(const ir::Scatter&) const { return lower_scatter(writer, node), true; }
  bool operator()(const ir::Sort&) const { return lower_sort(writer, node), true; }
  bool operator()(const auto& op) const {
    check(fusability(op) != Fusability::structural, "%{} ({}) in a region", node, op.kName);
    return false;
  }
};

}  // namespace

std::vector<LoweredRegion> lower(const ir::Graph& graph, const Region& region, const Target& target,
                                 std::string name) {
  check(!region.outputs.empty(), "region {} has no outputs", name);
  RegionWriter writer(graph, region, target, std::move(name));
  const auto is_empty = [&](ir::Value value) {
    return element_count(graph.type(value).shape) == 0;
  };
  if (std::ranges::all_of(region.outputs, is_empty)) return {};
  bool is_done = false;
  for (const std::uint32_t node : region.nodes) {
    if (is_done) break;
    is_done = std::visit(AnchorVisitor{writer, node}, graph.node(node).op);
  }
  if (!is_done) {
    if (reductions_of(graph, region.nodes).empty())
      lower_pointwise(writer);
    else
      lower_reduction(writer);
  }
  return std::move(writer).finish();
}

}  // namespace tenon::lower

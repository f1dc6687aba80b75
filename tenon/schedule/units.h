// The units of work of one graph: its regions as kernels, its loops and branches, and copies.
#pragma once
#include "tenon/schedule/plan_builder.h"

namespace tenon::schedule {

// Numbers the values of a graph densely and follows those that are only another name (barriers,
// sharding constraints, reshapes) to their root. More values may be added for copies.
class ValueTable {
 public:
  enum class Origin : std::uint8_t { parameter, constant, computed };

  // Without `renames` regions that only rename are kernels that copy.
  ValueTable(const ir::Graph& graph, std::span<const lower::Region> regions, bool renames);

  std::uint32_t number(ir::Value value) const { return first_[value.node] + value.result; }
  std::uint32_t root(ir::Value value) const { return roots_[number(value)]; }
  Origin origin(std::uint32_t root) const { return origins_[root]; }
  std::int64_t bytes(std::uint32_t root) const { return bytes_[root]; }
  const std::string& name(std::uint32_t root) const { return names_[root]; }
  // Of a parameter or constant: the node that is it.
  std::uint32_t node(std::uint32_t root) const { return nodes_[root]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(roots_.size()); }
  // Nodes of barriers between a value and its root.
  const std::vector<std::uint32_t>& barriers(ir::Value value) const {
    return barriers_[number(value)];
  }
  // A further value of the same size.
  std::uint32_t add_copy_of(std::uint32_t root);

 private:
  void make_alias(ir::Value alias, ir::Value of);

  std::vector<std::uint32_t> first_;  // per node: number of its first result
  std::vector<std::uint32_t> roots_;
  std::vector<std::uint32_t> nodes_;
  std::vector<Origin> origins_;
  std::vector<std::int64_t> bytes_;
  std::vector<std::string> names_;
  std::vector<std::vector<std::uint32_t>> barriers_;
};

struct Unit {
  enum class Kind : std::uint8_t { kernels, control, copy };
  Kind kind = Kind::kernels;
  std::uint32_t node = 0;  // control: the scan, while or cond; kernels: the last node
  std::vector<lower::LoweredRegion> kernels;  // their programs have moved to the plan
  std::vector<std::uint32_t> kernel_numbers;
  // Roots, each once. Constants do not count as read.
  std::vector<std::uint32_t> reads;
  std::vector<std::uint32_t> writes;
  std::vector<std::uint32_t> after;  // units that must come earlier for another reason
  std::vector<OriginRef> origins;    // kernels and control
  // copy: from a root (which may be a constant) to an output of the block, or to writes[0].
  std::uint32_t from = 0;
  std::optional<std::uint32_t> to_output;
};

// Lowers the regions and adds their kernels to the plan. Ordered by last node. `lasting`: whether
// an input of the graph is the same in all of its runs (of a loop's body); empty: none is.
std::vector<Unit> make_units(PlanBuilder& builder, const ir::Graph& graph,
                             std::span<const lower::Region> regions, const ValueTable& values,
                             const std::vector<bool>& lasting);

// Whether the unit may write the value `written` into the memory of `read`, which it reads too.
bool may_write_over(const ir::Graph& graph, const ValueTable& values, const Unit& unit,
                    std::uint32_t written, std::uint32_t read);

}  // namespace tenon::schedule

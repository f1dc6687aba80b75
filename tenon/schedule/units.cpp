#include "tenon/schedule/units.h"

#include <array>

#include "tenon/base/interruption.h"

namespace tenon::schedule {

namespace {

// Row-major and dense: the same bytes under another type.
bool only_renames(const ir::Graph& graph, const ir::Node& node) {
  if (std::holds_alternative<ir::Reshape>(node.op)) return true;
  if (std::holds_alternative<ir::ShardingConstraint>(node.op)) return true;
  return std::holds_alternative<ir::Bitcast>(node.op) &&
         byte_size(node.results[0]) == byte_size(graph.type(node.operands[0]));
}

bool only_renames(const ir::Graph& graph, const lower::Region& region) {
  return std::ranges::all_of(
      region.nodes, [&](std::uint32_t node) { return only_renames(graph, graph.node(node)); });
}

void add_once(std::vector<std::uint32_t>& list, std::uint32_t value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

bool is_control(const ir::Op& op) {
  return std::holds_alternative<ir::Scan>(op) || std::holds_alternative<ir::While>(op) ||
         std::holds_alternative<ir::Cond>(op);
}

// Results 0 ... n - 1 of a loop start as operands 0 ... n - 1.
std::size_t carried_count(const ir::Node& node) {
  if (const auto* scan = std::get_if<ir::Scan>(&node.op))
    return static_cast<std::size_t>(scan->carried);
  return std::holds_alternative<ir::While>(node.op) ? node.operands.size() : 0;
}

bool is_lasting(const ir::Graph& graph, const ValueTable& values, ir::Value value,
                const std::vector<bool>& lasting) {
  const std::uint32_t root = values.root(value);
  if (lasting.empty() || values.origin(root) != ValueTable::Origin::parameter) return false;
  const auto& parameter = std::get<ir::Parameter>(graph.node(values.node(root)).op);
  return lasting[static_cast<std::size_t>(parameter.position)];
}

}  // namespace

ValueTable::ValueTable(const ir::Graph& graph, std::span<const lower::Region> regions,
                       bool renames) {
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.node(i);
    first_.push_back(size());
    Origin origin = Origin::computed;
    if (std::holds_alternative<ir::Parameter>(node.op)) origin = Origin::parameter;
    if (std::holds_alternative<ir::Constant>(node.op)) origin = Origin::constant;
    const ir::NodeInfo* info = graph.info(i);
    for (std::uint32_t k = 0; k < node.results.size(); ++k) {
      std::string name = info != nullptr && !info->name.empty()
                             ? info->name
                             : fmt::format("{}_{}", ir::name(node.op), i);
      if (node.results.size() > 1) name += fmt::format(".{}", k);
      names_.push_back(std::move(name));
      roots_.push_back(size());
      nodes_.push_back(i);
      origins_.push_back(origin);
      bytes_.push_back(byte_size(node.results[k]));
      barriers_.emplace_back();
    }
  }
  std::vector<bool> is_made(roots_.size());
  for (const lower::Region& region : regions)
    if (!renames || !only_renames(graph, region))
      for (const ir::Value output : region.outputs) is_made[number(output)] = true;
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.node(i);
    if (std::holds_alternative<ir::Barrier>(node.op)) {
      for (std::uint32_t k = 0; k < node.results.size(); ++k) {
        make_alias({i, k}, node.operands[k]);
        barriers_[number({i, k})].push_back(i);
      }
    } else if (only_renames(graph, node) && !is_made[number({i, 0})]) {
      make_alias({i, 0}, node.operands[0]);
    }
  }
}

void ValueTable::make_alias(ir::Value alias, ir::Value of) {
  roots_[number(alias)] = root(of);
  barriers_[number(alias)] = barriers(of);
}

std::uint32_t ValueTable::add_copy_of(std::uint32_t root) {
  roots_.push_back(size());
  nodes_.push_back(nodes_[root]);
  origins_.push_back(Origin::computed);
  bytes_.push_back(bytes_[root]);
  names_.push_back(fmt::format("copy of {}", names_[root]));
  barriers_.emplace_back();
  return size() - 1;
}

std::vector<Unit> make_units(PlanBuilder& builder, const ir::Graph& graph,
                             std::span<const lower::Region> regions, const ValueTable& values,
                             const std::vector<bool>& lasting) {
  std::vector<Unit> units;
  const OriginTable origins(graph, builder.around);
  const auto add_read = [&](Unit& unit, ir::Value value) {
    const std::uint32_t root = values.root(value);
    if (values.origin(root) != ValueTable::Origin::constant) add_once(unit.reads, root);
  };
  for (const lower::Region& region : regions) {
    interruption_point();
    if (builder.options().rename_reshapes && only_renames(graph, region)) continue;
    Unit unit;
    unit.node = region.nodes.back();
    unit.origins = origins.of(region.nodes);
    const std::string name =
        fmt::format("{}{}", builder.next_kernel_prefix(), ir::name(graph.node(unit.node).op));
    lower::Region marked = region;
    for (const ir::Value input : region.inputs)
      if (is_lasting(graph, values, input, lasting)) marked.lasting.push_back(input);
    unit.kernels = lower::lower(graph, marked, builder.target(), name);
    for (lower::LoweredRegion& lowered : unit.kernels) {
      for (const auto& argument : lowered.arguments)
        if (argument.kind == lower::LoweredRegion::Argument::Kind::input)
          add_read(unit, argument.value);
      unit.kernel_numbers.push_back(builder.add_kernel(std::move(lowered.kernel)));
    }
    for (const ir::Value output : region.outputs) add_once(unit.writes, values.number(output));
    units.push_back(std::move(unit));
  }
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.node(i);
    if (!is_control(node.op)) continue;
    Unit unit;
    unit.kind = Unit::Kind::control;
    unit.node = i;
    unit.origins = origins.of(std::array{i});
    for (const ir::Value operand : node.operands) add_read(unit, operand);
    for (std::uint32_t k = 0; k < node.results.size(); ++k)
      unit.writes.push_back(values.number({i, k}));
    units.push_back(std::move(unit));
  }
  std::ranges::stable_sort(units, {}, &Unit::node);

  std::vector<std::optional<std::uint32_t>> producer(values.size());
  for (std::uint32_t u = 0; u < units.size(); ++u)
    for (const std::uint32_t value : units[u].writes) {
      check(!producer[value], "two regions make {}", values.name(value));
      producer[value] = u;
    }
  // What is read through a barrier waits for all that went into it.
  const auto wait_for_barriers = [&](std::uint32_t u, ir::Value value) {
    for (const std::uint32_t barrier : values.barriers(value))
      for (const ir::Value operand : graph.node(barrier).operands)
        if (const auto earlier = producer[values.root(operand)])
          if (*earlier != u) add_once(units[u].after, *earlier);
  };
  for (std::uint32_t u = 0; u < units.size(); ++u) {
    if (units[u].kind == Unit::Kind::control)
      for (const ir::Value operand : graph.node(units[u].node).operands)
        wait_for_barriers(u, operand);
    for (const lower::LoweredRegion& lowered : units[u].kernels)
      for (const auto& argument : lowered.arguments)
        if (argument.kind == lower::LoweredRegion::Argument::Kind::input)
          wait_for_barriers(u, argument.value);
  }
  return units;
}

bool may_write_over(const ir::Graph& graph, const ValueTable& values, const Unit& unit,
                    std::uint32_t written, std::uint32_t read) {
  using Kind = lower::LoweredRegion::Argument::Kind;
  if (unit.kind == Unit::Kind::copy) return false;
  if (unit.kind == Unit::Kind::control) {
    const ir::Node& node = graph.node(unit.node);
    const std::uint32_t result = written - values.number({unit.node, 0});
    if (result >= carried_count(node) || values.root(node.operands[result]) != read) return false;
    return std::ranges::count_if(
               node.operands, [&](ir::Value operand) { return values.root(operand) == read; }) == 1;
  }
  bool is_written = false;
  for (const lower::LoweredRegion& lowered : unit.kernels) {
    bool writes_here = false;
    for (const auto& argument : lowered.arguments)
      writes_here |= argument.kind == Kind::output && values.number(argument.value) == written;
    std::size_t reads = 0;
    ir::Value alias;
    for (const auto& argument : lowered.arguments)
      if (argument.kind == Kind::input && values.root(argument.value) == read) {
        ++reads;
        alias = argument.value;
      }
    if (reads > 0 && is_written) return false;
    if (reads > 0 && writes_here) {
      const bool is_pair = std::ranges::any_of(lowered.in_place, [&](const auto& pair) {
        return values.number(pair.first) == written && pair.second == alias;
      });
      if (reads > 1 || !is_pair) return false;
    }
    is_written |= writes_here;
  }
  return is_written;
}

}  // namespace tenon::schedule

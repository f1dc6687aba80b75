#include "tenon/schedule/fusion_groups.h"

#include <algorithm>
#include <numeric>
#include <queue>

#include "tenon/base/error.h"
#include "tenon/base/interruption.h"

namespace tenon::schedule {

using lower::Fusability;

namespace {

constexpr int kMostInlinedWork = 6;  // operations on one operand that are cheaper than memory
constexpr int kMostScalarWork = 16;  // operations on scalars
constexpr std::int64_t kLargeValue = 1024;  // elements worth reading only once

template <class Op>
bool holds(const ir::Node& node) {
  return std::holds_alternative<Op>(node.op);
}

// The same bytes under another type: a plan needs no kernel for it.
bool only_renames(const ir::Node& node) {
  return holds<ir::Reshape>(node) || holds<ir::ShardingConstraint>(node) ||
         holds<ir::Bitcast>(node);
}

bool only_moves(const ir::Node& node) {
  return only_renames(node) || holds<ir::Broadcast>(node) || holds<ir::Transpose>(node) ||
         holds<ir::Reverse>(node) || holds<ir::Slice>(node);
}

// Cost of a function in simple operations; large for what is never repeated.
int work_of(ScalarFunction f) {
  using enum ScalarFunction;
  switch (f) {
    case negate:
    case abs:
    case sign:
    case is_finite:
    case logical_not:
    case add:
    case subtract:
    case multiply:
    case minimum:
    case maximum:
    case logical_and:
    case logical_or:
    case logical_xor:
    case shift_left:
    case shift_right_logical:
    case shift_right_arithmetic:
    case equal:
    case not_equal:
    case less:
    case less_equal:
    case greater:
    case greater_equal: return 1;
    case floor:
    case ceil:
    case round_nearest_even:
    case population_count:
    case divide:
    case sqrt:
    case rsqrt: return 3;
    case exp:
    case expm1:
    case log:
    case log1p:
    case cbrt:
    case sin:
    case cos:
    case tan:
    case tanh:
    case logistic:
    case erf:
    case remainder:
    case power:
    case atan2: break;
  }
  return 8;
}

}  // namespace

FusionGroups::FusionGroups(const ir::Graph& graph, bool repeats_cheap)
    : graph_(graph),
      repeats_cheap_(repeats_cheap),
      parts_(graph.nodes().size(), Part::source),
      uses_(graph.nodes().size()),
      inline_cost_(graph.nodes().size()),
      leaves_(graph.nodes().size()),
      group_(graph.nodes().size()),
      reach_(graph.nodes().size()),
      seen_(graph.nodes().size()),
      left_by_(graph.nodes().size()) {
  std::iota(reach_.begin(), reach_.end(), 0u);
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    needed_.emplace_back(graph.node(i).results.size());
    for (const ir::Value operand : graph.node(i).operands) {
      std::vector<std::uint32_t>& users = uses_[operand.node];
      if (users.empty() || users.back() != i) users.push_back(i);
    }
  }
  find_needed();
  choose_parts();
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    if (parts_[i] != Part::member) continue;
    group_[i] = i;
    members_[i] = {i};
  }
}

// Outputs of the graph, and operands that are read from memory.
void FusionGroups::find_needed() {
  const auto need = [&](ir::Value value) { needed_[value.node][value.result] = true; };
  for (const ir::Output& output : graph_.outputs()) need(output.value);
  for (std::uint32_t i = static_cast<std::uint32_t>(graph_.nodes().size()); i-- > 0;) {
    const ir::Node& node = graph_.node(i);
    bool reads_memory = false;
    switch (lower::fusability(node.op)) {
      case Fusability::pointwise: reads_memory = only_renames(node) && needed_[i][0]; break;
      case Fusability::reduction: break;
      case Fusability::contraction:
      case Fusability::alone:
      case Fusability::structural: reads_memory = true; break;
    }
    if (reads_memory)
      for (const ir::Value operand : node.operands) need(operand);
  }
}

bool FusionGroups::is_cheap(std::uint32_t index) {
  const ir::Node& node = graph_.node(index);
  if (holds<ir::Constant>(node) || only_renames(node)) return true;
  if (needed_[index][0] || !repeats_cheap_) return false;
  if (holds<ir::Iota>(node) || only_moves(node)) return true;
  const auto* elementwise = std::get_if<ir::Elementwise>(&node.op);
  if (elementwise == nullptr && !holds<ir::Cast>(node) && !holds<ir::Select>(node)) return false;
  inline_cost_[index] += elementwise != nullptr ? work_of(elementwise->function) : 1;
  const std::int64_t count = element_count(node.results[0].shape);
  const auto is_large = [&](ir::Value leaf) {
    const std::int64_t read = element_count(graph_.type(leaf).shape);
    return read > 1 && read >= count / 4;
  };
  const auto large = std::ranges::count_if(leaves_[index], is_large);
  if (count == 1) return large == 0 && inline_cost_[index] <= kMostScalarWork;
  // Two users of an operation on one operand read as much as two users of its result.
  return large <= 1 && inline_cost_[index] <= kMostInlinedWork;
}

void FusionGroups::choose_parts() {
  for (std::uint32_t i = 0; i < graph_.nodes().size(); ++i) {
    const ir::Node& node = graph_.node(i);
    switch (lower::fusability(node.op)) {
      case Fusability::structural: break;
      case Fusability::reduction:
      case Fusability::contraction:
      case Fusability::alone: parts_[i] = Part::member; break;
      case Fusability::pointwise: {
        for (auto at = node.operands.begin(); at != node.operands.end(); ++at) {
          const ir::Value operand = *at;
          const bool is_inlined = parts_[operand.node] == Part::inlined;
          if (std::find(node.operands.begin(), at, operand) == at)
            inline_cost_[i] += inline_cost_[operand.node];
          if (is_inlined)
            leaves_[i].insert(leaves_[operand.node].begin(), leaves_[operand.node].end());
          else
            leaves_[i].insert(operand);
        }
        parts_[i] = is_cheap(i) ? Part::inlined : Part::member;
        if (parts_[i] == Part::member) {
          inline_cost_[i] = 0;
          leaves_[i].clear();
        }
        break;
      }
    }
  }
}

std::vector<std::uint32_t> FusionGroups::all() const {
  std::vector<std::uint32_t> names;
  for (const auto& [name, members] : members_) names.push_back(name);
  return names;
}

bool FusionGroups::exists(std::uint32_t group) const { return members_.contains(group); }

Fusability FusionGroups::kind(std::uint32_t group) const {
  for (const std::uint32_t node : members_.at(group)) {
    const Fusability kind = lower::fusability(graph_.node(node).op);
    if (kind != Fusability::pointwise) return kind;
  }
  return Fusability::pointwise;
}

void FusionGroups::append_users(std::uint32_t node, std::set<std::uint32_t>& users) const {
  for (const std::uint32_t user : uses_[node]) {
    if (parts_[user] == Part::member) users.insert(user);
    if (parts_[user] == Part::inlined) append_users(user, users);
  }
}

std::vector<std::uint32_t> FusionGroups::consumers(std::uint32_t group) const {
  std::set<std::uint32_t> users, groups;
  for (const std::uint32_t node : members_.at(group)) append_users(node, users);
  for (const std::uint32_t user : users)
    if (group_[user] != group) groups.insert(group_[user]);
  return {groups.begin(), groups.end()};
}

std::vector<std::uint32_t> FusionGroups::siblings(std::uint32_t group) const {
  std::set<std::uint32_t> users, groups;
  for (const ir::Value input : region_of(members_.at(group)).inputs)
    if (element_count(graph_.type(input).shape) >= kLargeValue) append_users(input.node, users);
  for (const std::uint32_t user : users)
    if (group_[user] != group) groups.insert(group_[user]);
  return {groups.begin(), groups.end()};
}

bool FusionGroups::is_needed(std::uint32_t group) const {
  return std::ranges::any_of(members_.at(group), [&](std::uint32_t node) {
    return std::ranges::count(needed_[node], true) > 0;
  });
}

// The inlined nodes that a member's operands need, and what the region reads.
void FusionGroups::collect(std::uint32_t node, std::set<std::uint32_t>& nodes,
                           std::set<ir::Value>& seen, std::vector<ir::Value>& inputs,
                           const std::set<std::uint32_t>& members) const {
  const Fusability kind = lower::fusability(graph_.node(node).op);
  const bool reads_memory = kind == Fusability::contraction || kind == Fusability::alone;
  for (const ir::Value operand : graph_.node(node).operands) {
    if (!reads_memory && members.contains(operand.node)) continue;
    if (!reads_memory && parts_[operand.node] == Part::inlined) {
      if (nodes.insert(operand.node).second) collect(operand.node, nodes, seen, inputs, members);
      continue;
    }
    if (seen.insert(operand).second) inputs.push_back(operand);
  }
}

bool FusionGroups::is_used_outside(ir::Value value, const std::set<std::uint32_t>& members) const {
  for (const std::uint32_t user : uses_[value.node]) {
    if (std::ranges::count(graph_.node(user).operands, value) == 0) continue;
    if (parts_[user] == Part::source) return true;
    if (parts_[user] == Part::member && !members.contains(user)) return true;
    if (parts_[user] != Part::inlined) continue;
    if (is_used_outside({user, 0}, members)) return true;
  }
  return false;
}

lower::Region FusionGroups::region_of(const std::vector<std::uint32_t>& list) const {
  interruption_point();
  const std::set<std::uint32_t> members(list.begin(), list.end());
  std::set<std::uint32_t> nodes = members;
  std::set<ir::Value> seen;
  lower::Region region;
  for (const std::uint32_t node : list) collect(node, nodes, seen, region.inputs, members);
  region.nodes.assign(nodes.begin(), nodes.end());
  for (const std::uint32_t node : list)
    for (std::uint32_t k = 0; k < graph_.node(node).results.size(); ++k) {
      const ir::Value value{node, k};
      if (needed_[node][k] || is_used_outside(value, members)) region.outputs.push_back(value);
    }
  // What nothing uses is still computed.
  if (region.outputs.empty()) region.outputs.push_back({list.back(), 0});
  return region;
}

// The last node from which something can still lead to nodes up to `last`: a group is one kernel,
// so whatever enters it anywhere comes out of it everywhere, at earlier nodes too.
std::uint32_t FusionGroups::last_that_leads_to(std::uint32_t last) {
  std::uint32_t end = last;
  while (reach_[end] != end) end = reach_[end];
  while (reach_[last] != end) last = std::exchange(reach_[last], end);  // shorter the next time
  return end;
}

// Whether something outside both groups depends on `from` and goes into `to`.
bool FusionGroups::has_other_path(std::uint32_t from, std::uint32_t to) {
  const std::uint32_t last = last_that_leads_to(members_.at(to).back());
  const std::uint32_t search = ++searches_;
  std::vector<std::uint32_t> open;  // nodes, and of a group its first one
  const auto visit = [&](std::uint32_t node) {
    const std::uint32_t first = parts_[node] == Part::member ? group_[node] : node;
    if (std::exchange(seen_[first], search) != search) open.push_back(first);
  };
  const auto visit_uses = [&](std::uint32_t node) {
    for (const std::uint32_t user : uses_[node])
      if (user <= last) visit(user);
  };
  // Inlined nodes directly behind `from` still belong to no one; `outside` says a node of neither
  // group has been passed.
  const auto leave = [&](std::uint32_t node, auto&& self) -> void {
    for (const std::uint32_t user : uses_[node]) {
      if (user > last || left_by_[user] == search) continue;
      if (parts_[user] == Part::member && (group_[user] == from || group_[user] == to)) continue;
      left_by_[user] = search;
      if (parts_[user] == Part::inlined) self(user, self);
      if (parts_[user] != Part::inlined || needed_[user][0]) visit(user);
    }
  };
  for (const std::uint32_t node : members_.at(from)) leave(node, leave);
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    if (parts_[node] != Part::member) {
      visit_uses(node);
      continue;
    }
    if (node == to) return true;
    if (node == from) continue;
    for (const std::uint32_t other : members_.at(node)) visit_uses(other);
  }
  return false;
}

std::vector<std::uint32_t> FusionGroups::members_of_both(std::uint32_t a, std::uint32_t b) const {
  std::vector<std::uint32_t> merged;
  std::ranges::merge(members_.at(a), members_.at(b), std::back_inserter(merged));
  return merged;
}

std::int64_t FusionGroups::stored_elements(const std::vector<std::uint32_t>& members) const {
  std::int64_t elements = 0;
  for (const ir::Value output : region_of(members).outputs)
    elements += element_count(graph_.type(output).shape);
  return elements;
}
std::int64_t FusionGroups::stored(std::uint32_t group) const {
  return stored_elements(members_.at(group));
}
std::int64_t FusionGroups::stored_together(std::uint32_t a, std::uint32_t b) const {
  return stored_elements(members_of_both(a, b));
}

bool FusionGroups::try_merge(std::uint32_t a, std::uint32_t b) {
  if (a == b) return false;
  std::vector<std::uint32_t> merged = members_of_both(a, b);
  if (!lower::is_one_kernel(graph_, region_of(merged))) return false;
  // Groups never depend on each other in a cycle: what the other one reads does not depend on it.
  const bool is_read = std::ranges::binary_search(consumers(a), b);
  if (has_other_path(a, b) || (!is_read && has_other_path(b, a))) return false;
  const std::uint32_t name = std::min(a, b);
  for (const std::uint32_t node : merged) group_[node] = name;
  for (std::uint32_t i = last_that_leads_to(name); i < merged.back(); i = last_that_leads_to(i))
    reach_[i] = i + 1;
  members_.erase(std::max(a, b));
  members_[name] = std::move(merged);
  return true;
}

std::vector<lower::Region> FusionGroups::regions() const {
  std::vector<lower::Region> regions;
  std::vector<std::uint32_t> maker(graph_.nodes().size());  // region + 1, of a node
  const auto add = [&](lower::Region region) {
    for (const ir::Value output : region.outputs)
      maker[output.node] = static_cast<std::uint32_t>(regions.size() + 1);
    regions.push_back(std::move(region));
  };
  for (const auto& [name, members] : members_) add(region_of(members));
  for (std::uint32_t i = 0; i < graph_.nodes().size(); ++i) {
    const ir::Node& node = graph_.node(i);
    if (parts_[i] == Part::inlined && needed_[i][0] && !holds<ir::Constant>(node))
      add({{i}, node.operands, {{i, 0}}});
  }
  // What a region waits for, also through structural nodes.
  std::vector<std::set<std::uint32_t>> before(regions.size()), after(regions.size());
  std::vector<std::uint32_t> seen_for(graph_.nodes().size());  // region + 1, of a node
  for (std::uint32_t r = 0; r < regions.size(); ++r) {
    const auto wait_for = [&](ir::Value value, auto&& self) -> void {
      if (seen_for[value.node] == r + 1) return;
      seen_for[value.node] = r + 1;
      if (maker[value.node] != 0) {
        if (maker[value.node] - 1 != r) {
          before[r].insert(maker[value.node] - 1);
          after[maker[value.node] - 1].insert(r);
        }
        return;
      }
      for (const ir::Value operand : graph_.node(value.node).operands) self(operand, self);
    };
    for (const ir::Value input : regions[r].inputs) wait_for(input, wait_for);
  }
  using Entry = std::pair<std::uint32_t, std::uint32_t>;  // last node, region
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> ready;
  const auto offer = [&](std::uint32_t r) { ready.emplace(regions[r].nodes.back(), r); };
  std::vector<std::size_t> waits(regions.size());
  for (std::uint32_t r = 0; r < regions.size(); ++r) {
    waits[r] = before[r].size();
    if (waits[r] == 0) offer(r);
  }
  std::vector<lower::Region> ordered;
  while (!ready.empty()) {
    const std::uint32_t r = ready.top().second;
    ready.pop();
    for (const std::uint32_t next : after[r])
      if (--waits[next] == 0) offer(next);
    ordered.push_back(std::move(regions[r]));
  }
  check(ordered.size() == regions.size(), "fusion left a cycle among {} regions", regions.size());
  return ordered;
}

}  // namespace tenon::schedule

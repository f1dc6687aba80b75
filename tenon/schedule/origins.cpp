#include "tenon/schedule/origins.h"

#include <algorithm>

namespace tenon::schedule {

namespace {

bool is_same(const OriginRef& a, const OriginRef& b) {
  return a == b || (a->path == b->path && a->location == b->location);
}

void add_once(std::vector<OriginRef>& origins, const OriginRef& origin) {
  if (origin == nullptr) return;
  if (std::ranges::none_of(origins, [&](const OriginRef& known) { return is_same(known, origin); }))
    origins.push_back(origin);
}

// What all operands that have one share.
OriginRef common_origin(const std::vector<OriginRef>& origins, const ir::Node& node) {
  OriginRef common;
  for (const ir::Value operand : node.operands) {
    const OriginRef& origin = origins[operand.node];
    if (origin == nullptr) continue;
    if (common != nullptr && !is_same(common, origin)) return nullptr;
    common = origin;
  }
  return common;
}

}  // namespace

OriginTable::OriginTable(const ir::Graph& graph, OriginRef around)
    : graph_(graph), around_(std::move(around)) {
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::NodeInfo* info = graph.info(i);
    own_.push_back(info == nullptr ? nullptr : info->origin);
    inherited_.push_back(own_[i] != nullptr ? own_[i] : common_origin(inherited_, graph.node(i)));
  }
}

std::vector<OriginRef> OriginTable::of(std::span<const std::uint32_t> nodes) const {
  std::vector<OriginRef> origins;
  for (const std::uint32_t node : nodes)
    if (lower::fusability(graph_.node(node).op) == lower::Fusability::contraction)
      add_once(origins, own_[node]);
  for (std::size_t i = nodes.size(); i-- > 0;) add_once(origins, own_[nodes[i]]);
  if (!origins.empty()) return origins;
  for (std::size_t i = nodes.size(); i-- > 0;) add_once(origins, inherited_[nodes[i]]);
  if (origins.empty()) add_once(origins, around_);
  return origins;
}

}  // namespace tenon::schedule

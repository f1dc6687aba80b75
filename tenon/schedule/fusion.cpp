#include "tenon/schedule/fusion.h"

#include "tenon/base/error.h"
#include "tenon/schedule/fusion_groups.h"

namespace tenon::schedule {

namespace {

using lower::Fusability;

bool is_pointwise(const FusionGroups& groups, std::uint32_t group) {
  return groups.kind(group) == Fusability::pointwise;
}

// A consumer whose result would only be one more to store, for one group that can compute it from
// what is stored anyway, belongs there.
bool give_to_next(FusionGroups& groups, std::uint32_t group, std::uint32_t consumer) {
  if (groups.is_needed(consumer)) return false;
  const std::vector<std::uint32_t> next = groups.consumers(consumer);
  if (next.size() != 1 || next.front() == group) return false;
  const Fusability kind = groups.kind(next.front());
  if (kind != Fusability::pointwise && kind != Fusability::reduction) return false;
  return groups.stored_together(group, consumer) > groups.stored(group) &&
         groups.try_merge(consumer, next.front());
}

// Takes consumers into the group as long as the result is still one kernel.
void merge_consumers(FusionGroups& groups, std::uint32_t group, bool takes_reductions) {
  for (bool is_changed = true; is_changed;) {
    is_changed = false;
    for (const std::uint32_t consumer : groups.consumers(group)) {
      const bool is_candidate =
          is_pointwise(groups, consumer) ||
          (takes_reductions && groups.kind(consumer) == Fusability::reduction);
      if (!is_candidate) continue;
      const bool is_given = !takes_reductions && give_to_next(groups, group, consumer);
      if (!is_given && !groups.try_merge(group, consumer)) continue;
      if (!is_given) group = std::min(group, consumer);  // the name of what both have become
      is_changed = true;
      break;
    }
  }
}

// Pointwise work is done where a contraction's result tile is still in registers.
void merge_epilogues(FusionGroups& groups) {
  for (const std::uint32_t group : groups.all())
    if (groups.exists(group) && groups.kind(group) == Fusability::contraction)
      merge_consumers(groups, group, false);
}

// Softmax and norms: reductions of a row and what is done with them share one kernel.
void merge_rows(FusionGroups& groups) {
  for (const std::uint32_t group : groups.all())
    if (groups.exists(group) && groups.kind(group) == Fusability::reduction)
      merge_consumers(groups, group, true);
}

// A producer all of whose uses are in one group is computed there; one that is also needed
// elsewhere becomes another output of a pointwise group of its size.
void merge_producers(FusionGroups& groups) {
  std::vector<std::uint32_t> order = groups.all();
  for (std::size_t i = order.size(); i-- > 0;) {
    const std::uint32_t group = order[i];
    if (!groups.exists(group) || !is_pointwise(groups, group)) continue;
    const std::vector<std::uint32_t> consumers = groups.consumers(group);
    if (consumers.empty()) continue;
    if (consumers.size() == 1 && !groups.is_needed(group)) {
      groups.try_merge(group, consumers.front());
      continue;
    }
    for (const std::uint32_t consumer : consumers)
      if (is_pointwise(groups, consumer) && groups.try_merge(group, consumer)) break;
  }
}

// Reductions over the same elements read them once.
void merge_siblings(FusionGroups& groups) {
  for (const std::uint32_t group : groups.all()) {
    if (!groups.exists(group) || groups.kind(group) != Fusability::reduction) continue;
    for (const std::uint32_t sibling : groups.siblings(group))
      if (groups.kind(sibling) == Fusability::reduction && groups.try_merge(group, sibling)) break;
  }
}

}  // namespace

std::vector<lower::Region> form_regions(const ir::Graph& graph, const PlanOptions& options) {
  FusionGroups groups(graph, options.repeat_cheap);
  if (options.fuse_epilogues) merge_epilogues(groups);
  if (options.fuse_rows) merge_rows(groups);
  if (options.fuse_producers) merge_producers(groups);
  if (options.fuse_siblings) merge_siblings(groups);
  return groups.regions();
}

}  // namespace tenon::schedule

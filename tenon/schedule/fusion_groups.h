// The nodes of a graph in groups that become regions; groups merge while fusion goes on.
#pragma once
#include <set>

#include "tenon/lower/region.h"

namespace tenon::schedule {

// A node is one of:
//  * a source: parameter, constant in memory, result of a structural node;
//  * inlined: so cheap that every group which uses it computes it for itself (broadcasts, reshapes
//    and other movement, iota, scalar arithmetic, one or two simple operations on one operand);
//  * a member of exactly one group.
// A group is named by its first node.
class FusionGroups {
 public:
  // Without `repeats_cheap` only constants and what merely renames is inlined.
  explicit FusionGroups(const ir::Graph& graph, bool repeats_cheap = true);

  // Groups that still exist, in order of their first nodes.
  std::vector<std::uint32_t> all() const;
  bool exists(std::uint32_t group) const;
  // contraction, alone or reduction if the group has such a node; else pointwise.
  lower::Fusability kind(std::uint32_t group) const;
  // Groups that read a value of this one, in order.
  std::vector<std::uint32_t> consumers(std::uint32_t group) const;
  // Other groups that read a large value which this one reads.
  std::vector<std::uint32_t> siblings(std::uint32_t group) const;
  // Whether a value of the group must be in memory though no group reads it.
  bool is_needed(std::uint32_t group) const;
  // Elements that the group, or both groups as one, write for others.
  std::int64_t stored(std::uint32_t group) const;
  std::int64_t stored_together(std::uint32_t a, std::uint32_t b) const;
  // Makes both one group if that is one kernel and no cycle arises. The result is named by the
  // smaller name.
  bool try_merge(std::uint32_t a, std::uint32_t b);

  // One region for each group, and one for each inlined node that must be in memory, such that
  // every region stands after those whose values it reads.
  std::vector<lower::Region> regions() const;

 private:
  enum class Part : std::uint8_t { source, inlined, member };

  std::vector<std::uint32_t> members_of_both(std::uint32_t a, std::uint32_t b) const;
  std::int64_t stored_elements(const std::vector<std::uint32_t>& members) const;
  void find_needed();
  void choose_parts();
  bool is_cheap(std::uint32_t node);
  lower::Region region_of(const std::vector<std::uint32_t>& members) const;
  void collect(std::uint32_t node, std::set<std::uint32_t>& nodes, std::set<ir::Value>& seen,
               std::vector<ir::Value>& inputs, const std::set<std::uint32_t>& members) const;
  bool is_used_outside(ir::Value value, const std::set<std::uint32_t>& members) const;
  std::uint32_t last_that_leads_to(std::uint32_t last);
  bool has_other_path(std::uint32_t from, std::uint32_t to);
  // Members that use the node's values, also through inlined nodes.
  void append_users(std::uint32_t node, std::set<std::uint32_t>& users) const;

  const ir::Graph& graph_;
  const bool repeats_cheap_;
  std::vector<Part> parts_;
  std::vector<std::vector<std::uint32_t>> uses_;  // nodes that use a node
  std::vector<std::vector<bool>> needed_;         // for each result: must be in memory
  std::vector<int> inline_cost_;                  // of an inlined node and what it inlines
  std::vector<std::set<ir::Value>> leaves_;       // what an inlined node reads
  std::vector<std::uint32_t> group_;              // of a member
  std::map<std::uint32_t, std::vector<std::uint32_t>> members_;  // ascending
  // Of each node: itself, or a later one such that groups reach over all nodes in between.
  std::vector<std::uint32_t> reach_;
  // Of has_other_path: the search that a node was last seen in, which need not be cleared.
  std::vector<std::uint32_t> seen_, left_by_;
  std::uint32_t searches_ = 0;
};

}  // namespace tenon::schedule

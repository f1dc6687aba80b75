// Cuts a graph into regions: which nodes share a kernel.
#pragma once
#include "tenon/lower/region.h"
#include "tenon/schedule/plan_options.h"

namespace tenon::schedule {

// Every node that computes something is in at least one region (cheap pointwise producers may be
// repeated in several); structural nodes are in none. Regions are in a valid execution order.
std::vector<lower::Region> form_regions(const ir::Graph& graph, const PlanOptions& options = {});

}  // namespace tenon::schedule

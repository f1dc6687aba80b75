#include "tenon/schedule/plan_options.h"

namespace tenon::schedule {

std::span<const Switch<PlanOptions>> plan_switches() {
  static constexpr Switch<PlanOptions> kSwitches[] = {
      {"fuse_epilogues", &PlanOptions::fuse_epilogues},
      {"fuse_rows", &PlanOptions::fuse_rows},
      {"fuse_producers", &PlanOptions::fuse_producers},
      {"fuse_siblings", &PlanOptions::fuse_siblings},
      {"repeat_cheap", &PlanOptions::repeat_cheap},
      {"rename_reshapes", &PlanOptions::rename_reshapes},
      {"make_in_place", &PlanOptions::make_in_place},
      {"write_in_place", &PlanOptions::write_in_place},
      {"order_for_memory", &PlanOptions::order_for_memory},
      {"share_memory", &PlanOptions::share_memory},
      {"share_kernels", &PlanOptions::share_kernels},
      {"pack_once", &PlanOptions::pack_once},
      {"take_invariants", &PlanOptions::take_invariants},
  };
  // A field without a name could not be left out.
  static_assert(sizeof(PlanOptions) == std::size(kSwitches) * sizeof(bool));
  return kSwitches;
}

}  // namespace tenon::schedule

// The workspace of a plan, launch by launch.
#pragma once
#include "tenon/backends/memory_map.h"
#include "tenon/schedule/plan.h"

namespace tenon::backends {

MemoryMap plan_memory(const schedule::Plan& plan);

}  // namespace tenon::backends

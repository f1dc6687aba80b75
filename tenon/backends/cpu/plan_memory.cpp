#include "tenon/backends/cpu/plan_memory.h"

#include <algorithm>
#include <tuple>

#include "tenon/base/variant.h"
#include "tenon/schedule/lifetimes.h"

namespace tenon::backends {

namespace {

// In the order in which schedule::buffer_lifetimes counts.
void list_launches(const schedule::Plan& plan, const std::vector<schedule::PlanStep>& steps,
                   std::vector<std::string>& launches) {
  for (const schedule::PlanStep& step : steps)
    std::visit(
        cases{[&](const schedule::Launch& launch) {
                launches.push_back(plan.kernels[launch.kernel].name);
              },
              [&](const schedule::Copy&) { launches.emplace_back("copy"); },
              [&](const schedule::Repeat& loop) { list_launches(plan, loop.body, launches); },
              [&](const schedule::RepeatWhile& loop) {
                list_launches(plan, loop.condition, launches);
                launches.emplace_back("while");
                list_launches(plan, loop.body, launches);
              },
              [&](const schedule::Branch& branch) {
                launches.emplace_back("branch");
                list_launches(plan, branch.on_true, launches);
                list_launches(plan, branch.on_false, launches);
              }},
        step.step);
}

}  // namespace

MemoryMap plan_memory(const schedule::Plan& plan) {
  MemoryMap map;
  map.arena_bytes = plan.arena_bytes;
  list_launches(plan, plan.steps, map.launches);
  const std::vector<schedule::Lifetime> lifetimes = schedule::buffer_lifetimes(plan);
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const schedule::PlanBuffer& buffer = plan.buffers[i];
    if (buffer.place != schedule::Place::arena || lifetimes[i].bytes == 0) continue;
    map.uses.push_back({buffer.name, buffer.bytes, buffer.offset, lifetimes[i].first,
                        lifetimes[i].last, buffer.is_scratch});
  }
  std::ranges::sort(map.uses, {}, [](const MemoryUse& use) {
    return std::tuple(use.first, use.offset, use.last);
  });
  return map;
}

}  // namespace tenon::backends

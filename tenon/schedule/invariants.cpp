#include "tenon/schedule/invariants.h"

#include <map>

#include "tenon/base/variant.h"
#include "tenon/schedule/lifetimes.h"

namespace tenon::schedule {

namespace {

using WriteCounts = std::map<std::uint32_t, int>;  // by buffer: how many steps write it

void count_writes(const Plan& plan, const std::vector<PlanStep>& steps, WriteCounts& writes) {
  for (const PlanStep& step : steps) {
    visit_references(plan, step, [&](const BufferRef& ref, bool is_written) {
      if (is_written) ++writes[ref.buffer];
    });
    std::visit(cases{[](const Launch&) {}, [](const Copy&) {},
                     [&](const Repeat& loop) { count_writes(plan, loop.body, writes); },
                     [&](const RepeatWhile& loop) {
                       count_writes(plan, loop.condition, writes);
                       count_writes(plan, loop.body, writes);
                     },
                     [&](const Branch& branch) {
                       count_writes(plan, branch.on_true, writes);
                       count_writes(plan, branch.on_false, writes);
                     }},
               step.step);
  }
}

}  // namespace

std::vector<PlanStep> take_invariants(const Plan& plan, std::vector<PlanStep>& body,
                                      std::uint32_t first_own, std::size_t depth) {
  WriteCounts writes;
  count_writes(plan, body, writes);
  const auto is_invariant = [&](const PlanStep& step) {
    if (!std::holds_alternative<Launch>(step.step)) return false;
    bool result = true;
    visit_references(plan, step, [&](const BufferRef& ref, bool is_written) {
      const bool moves = ref.strides.size() > depth && ref.strides[depth] != 0;
      const int count = writes.contains(ref.buffer) ? writes[ref.buffer] : 0;
      result &= !moves && (is_written ? ref.buffer >= first_own && count == 1 : count == 0);
    });
    return result;
  };
  std::vector<PlanStep> taken, left;
  for (PlanStep& step : body) {
    if (!is_invariant(step)) {
      left.push_back(std::move(step));
      continue;
    }
    visit_references(plan, step, [&](const BufferRef& ref, bool is_written) {
      if (is_written) writes.erase(ref.buffer);
    });
    taken.push_back(std::move(step));
  }
  body = std::move(left);
  return taken;
}

}  // namespace tenon::schedule

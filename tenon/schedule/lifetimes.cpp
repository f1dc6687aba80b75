#include "tenon/schedule/lifetimes.h"

#include <set>

#include "tenon/base/variant.h"

namespace tenon::schedule {

namespace {

// Walks the steps twice: first to find the loops that all uses of a buffer have in common, then to
// stretch each use over the loops below those.
class LifetimeFinder {
 public:
  explicit LifetimeFinder(const Plan& plan)
      : plan_(plan), owners_(plan.buffers.size()), lifetimes_(plan.buffers.size()) {}

  std::vector<Lifetime> find() {
    walk(plan_.steps);
    is_second_walk_ = true;
    position_ = 0;
    loop_count_ = 0;
    walk(plan_.steps);
    return std::move(lifetimes_);
  }

 private:
  void walk(const std::vector<PlanStep>& steps) {
    for (const PlanStep& step : steps) {
      std::visit(cases{[&](const Launch&) { use_leaf(step); }, [&](const Copy&) { use_leaf(step); },
                       [&](const Repeat& loop) {
                         const std::uint32_t index = enter_loop();
                         walk(loop.body);
                         leave_loop(index);
                       },
                       [&](const RepeatWhile& loop) {
                         const std::uint32_t index = enter_loop();
                         walk(loop.condition);
                         use_leaf(step);
                         walk(loop.body);
                         leave_loop(index);
                       },
                       [&](const Branch& branch) {
                         use_leaf(step);
                         walk(branch.on_true);
                         walk(branch.on_false);
                       }},
                 step.step);
    }
  }

  void use_leaf(const PlanStep& step) {
    visit_references(plan_, step, [&](const BufferRef& ref, bool) { use(ref.buffer); });
    ++position_;
  }

  std::uint32_t enter_loop() {
    const std::uint32_t index = loop_count_++;
    if (!is_second_walk_) ranges_.emplace_back(position_, position_);
    path_.push_back(index);
    return index;
  }
  void leave_loop(std::uint32_t index) {
    if (position_ > ranges_[index].first) ranges_[index].second = position_ - 1;
    path_.pop_back();
  }

  void use(std::uint32_t buffer) {
    if (is_second_walk_) {
      stretch(buffer);
      return;
    }
    auto& owner = owners_[buffer];
    if (!owner) {
      owner = path_;
    } else {
      const auto [end, ignored] = std::ranges::mismatch(*owner, path_);
      owner->erase(end, owner->end());
    }
  }

  void stretch(std::uint32_t buffer) {
    const std::size_t common = owners_[buffer]->size();
    std::pair<std::uint32_t, std::uint32_t> range = {position_, position_};
    if (path_.size() > common) range = ranges_[path_[common]];
    Lifetime& lifetime = lifetimes_[buffer];
    const bool is_first = !is_used_.contains(buffer);
    is_used_.insert(buffer);
    lifetime.bytes = plan_.buffers[buffer].bytes;
    lifetime.first = is_first ? range.first : std::min(lifetime.first, range.first);
    lifetime.last = is_first ? range.second : std::max(lifetime.last, range.second);
  }

  const Plan& plan_;
  bool is_second_walk_ = false;
  std::uint32_t position_ = 0;
  std::uint32_t loop_count_ = 0;
  std::vector<std::uint32_t> path_;                                // loops around this position
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges_;    // positions of each loop
  std::vector<std::optional<std::vector<std::uint32_t>>> owners_;  // per buffer: common loops
  std::set<std::uint32_t> is_used_;
  std::vector<Lifetime> lifetimes_;
};

}  // namespace

void visit_references(const Plan& plan, const PlanStep& step,
                      const std::function<void(const BufferRef&, bool is_written)>& visit) {
  std::visit(cases{[&](const Launch& launch) {
                     const kernel::Kernel& kernel = plan.kernels[launch.kernel];
                     for (std::size_t i = 0; i < launch.arguments.size(); ++i)
                       visit(launch.arguments[i], kernel.buffers[i].is_written);
                   },
                   [&](const Copy& copy) {
                     visit(copy.from, false);
                     visit(copy.to, true);
                   },
                   [&](const Repeat&) {}, [&](const RepeatWhile& loop) { visit(loop.flag, false); },
                   [&](const Branch& branch) { visit(branch.flag, false); }},
             step.step);
}

std::vector<Lifetime> buffer_lifetimes(const Plan& plan) { return LifetimeFinder(plan).find(); }

}  // namespace tenon::schedule

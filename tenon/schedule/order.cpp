#include "tenon/schedule/order.h"

#include <set>

#include "tenon/base/error.h"
#include "tenon/base/interruption.h"

namespace tenon::schedule {

namespace {

constexpr std::uint32_t kNoUnit = 0xffffffff;

struct Dependences {
  explicit Dependences(const OrderProblem& problem)
      : producer(problem.bytes.size(), kNoUnit),
        readers(problem.bytes.size()),
        successors(problem.units.size()),
        waiting_for(problem.units.size()) {
    for (std::uint32_t u = 0; u < problem.units.size(); ++u)
      for (const std::uint32_t value : problem.units[u].writes) producer[value] = u;
    for (std::uint32_t u = 0; u < problem.units.size(); ++u) {
      for (const std::uint32_t value : problem.units[u].reads) {
        readers[value].push_back(u);
        if (producer[value] != kNoUnit && producer[value] != u) add(producer[value], u);
      }
      for (const std::uint32_t earlier : problem.units[u].after) add(earlier, u);
    }
  }
  void add(std::uint32_t earlier, std::uint32_t later) {
    successors[earlier].push_back(later);
    ++waiting_for[later];
  }

  std::vector<std::uint32_t> producer;                 // per value
  std::vector<std::vector<std::uint32_t>> readers;     // per value
  std::vector<std::vector<std::uint32_t>> successors;  // per unit; may repeat
  std::vector<std::uint32_t> waiting_for;              // per unit: number of predecessors
};

enum class Preference { given_order, frees_most, adds_nothing };

// List scheduling. A ready unit's change of memory only falls while it waits (it becomes the last
// reader of more values), so ready units are kept sorted and moved when that happens.
class ListScheduler {
 public:
  ListScheduler(const OrderProblem& problem, const Dependences& dependences, Preference preference)
      : problem_(problem),
        dependences_(dependences),
        preference_(preference),
        waiting_for_(dependences.waiting_for),
        unread_(problem.bytes.size()),
        is_ready_(problem.units.size()) {
    for (std::uint32_t value = 0; value < unread_.size(); ++value)
      unread_[value] = static_cast<std::uint32_t>(dependences.readers[value].size());
  }

  std::vector<std::uint32_t> run() {
    for (std::uint32_t u = 0; u < problem_.units.size(); ++u)
      if (waiting_for_[u] == 0) make_ready(u);
    std::vector<std::uint32_t> order;
    while (!ready_.empty()) {
      interruption_point();
      const std::uint32_t unit = ready_.begin()->second;
      ready_.erase(ready_.begin());
      is_ready_[unit] = false;
      order.push_back(unit);
      for (const std::uint32_t value : problem_.units[unit].reads) count_read(value);
      for (const std::uint32_t next : dependences_.successors[unit])
        if (--waiting_for_[next] == 0) make_ready(next);
    }
    check(order.size() == problem_.units.size(),
          "the steps of a plan depend on each other in a "
          "cycle: {} of {} could be ordered",
          order.size(), problem_.units.size());
    return order;
  }

 private:
  using Key = std::pair<std::int64_t, std::uint32_t>;

  Key key(std::uint32_t unit) const {
    if (preference_ == Preference::given_order) return {0, unit};
    std::int64_t change = 0;
    for (const std::uint32_t value : problem_.units[unit].writes)
      if (unread_[value] > 0) change += problem_.bytes[value];
    for (const std::uint32_t value : problem_.units[unit].reads)
      if (unread_[value] == 1) change -= problem_.bytes[value];
    // Whatever adds memory comes after what does not, in the given order.
    if (preference_ == Preference::adds_nothing && change > 0) return {1, unit};
    return {change, unit};
  }
  void make_ready(std::uint32_t unit) {
    is_ready_[unit] = true;
    ready_.insert(key(unit));
  }
  void count_read(std::uint32_t value) {
    if (unread_[value] == 2) {
      // Erase the remaining reader under its old key before the count changes it.
      for (const std::uint32_t reader : dependences_.readers[value])
        if (is_ready_[reader]) ready_.erase(key(reader));
      --unread_[value];
      for (const std::uint32_t reader : dependences_.readers[value])
        if (is_ready_[reader]) ready_.insert(key(reader));
      return;
    }
    --unread_[value];
  }

  const OrderProblem& problem_;
  const Dependences& dependences_;
  const Preference preference_;
  std::vector<std::uint32_t> waiting_for_;
  std::vector<std::uint32_t> unread_;  // per value: readers not yet run
  std::vector<bool> is_ready_;
  std::set<Key> ready_;
};

}  // namespace

std::int64_t peak_bytes(const OrderProblem& problem, const std::vector<std::uint32_t>& order) {
  std::vector<std::uint32_t> unread(problem.bytes.size());
  for (const OrderUnit& unit : problem.units)
    for (const std::uint32_t value : unit.reads) ++unread[value];
  std::vector<bool> is_written(problem.bytes.size());
  std::int64_t live = 0, peak = 0;
  for (const std::uint32_t index : order) {
    const OrderUnit& unit = problem.units[index];
    for (const std::uint32_t value : unit.writes) {
      live += problem.bytes[value];
      is_written[value] = true;
    }
    peak = std::max(peak, live + unit.scratch);
    for (const std::uint32_t value : unit.writes)
      if (unread[value] == 0) live -= problem.bytes[value];
    for (const std::uint32_t value : unit.reads)
      if (--unread[value] == 0 && is_written[value]) live -= problem.bytes[value];
  }
  return peak;
}

std::vector<std::uint32_t> choose_order(const OrderProblem& problem, bool for_memory) {
  const Dependences dependences(problem);
  if (!for_memory) return ListScheduler(problem, dependences, Preference::given_order).run();
  std::vector<std::uint32_t> best;
  std::int64_t least = 0;
  for (const Preference preference :
       {Preference::adds_nothing, Preference::given_order, Preference::frees_most}) {
    std::vector<std::uint32_t> order = ListScheduler(problem, dependences, preference).run();
    const std::int64_t peak = peak_bytes(problem, order);
    if (!best.empty() && peak >= least) continue;
    best = std::move(order);
    least = peak;
  }
  return best;
}

}  // namespace tenon::schedule

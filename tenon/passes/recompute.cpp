#include "tenon/passes/recompute.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "tenon/ir/build.h"

namespace tenon::passes {
using namespace ir;
namespace {

// Keeping what is smaller costs nothing: bytes, and as a part of all that is kept.
constexpr std::int64_t kSmallBytes = 4096;
constexpr std::int64_t kSmallPart = 4096;

constexpr std::int32_t kNoSegment = std::numeric_limits<std::int32_t>::max();
constexpr std::uint32_t kNoNode = std::numeric_limits<std::uint32_t>::max();

template <class... Kinds>
bool is_one_of(const Op& op) {
  return (std::holds_alternative<Kinds>(op) || ...);
}
// Whether computing it takes more than reading what it is computed from. Sums are small beside
// what they read: they are kept as well.
bool is_expensive(const Op& op) {
  if (const auto* custom = std::get_if<CustomGradient>(&op))
    return std::ranges::any_of(custom->forward->nodes(),
                               [](const Node& node) { return is_expensive(node.op); });
  return is_one_of<Dot, Convolution, Attention, Scan, While, Cond, Sort, Scatter, Reduce,
                   CumulativeReduce, WindowReduce, WindowSelect>(op);
}

// Products take transposes and reshapes of their operands into themselves, and their bits may be
// those of the form that they find: what is computed again must find the same one, so no barrier
// may stand behind such an op.
bool only_moves(const Op& op) { return is_one_of<Transpose, Reshape, Broadcast>(op); }

class Recomputation {
 public:
  Recomputation(const Graph& graph, RecomputePolicy policy, int segments)
      : graph_(graph), policy_(policy), segments_(segments), count_(graph.nodes().size()) {}

  Graph run() {
    find_phases();
    if (forward_nodes_.empty()) return graph_;
    cut();
    choose_kept();
    find_gates();
    return std::ranges::count(is_kept_, false) == 0 ? graph_ : emit();
  }

 private:
  std::int64_t bytes(std::uint32_t node) const {
    std::int64_t sum = 0;
    for (const TensorType& type : graph_.node(node).results) sum += byte_size(type);
    return sum;
  }

  // Late: derivatives and what depends on them. Forward: what derivatives depend on, except
  // inputs, which are there anyway, and what is made of constants alone, which both may share.
  void find_phases() {
    is_derivative_.assign(count_, false);
    is_late_.assign(count_, false);
    is_constant_.assign(count_, false);
    for (std::uint32_t i = 0; i < count_; ++i) {
      is_constant_[i] = !std::holds_alternative<Parameter>(graph_.node(i).op);
      for (const Value operand : graph_.node(i).operands)
        if (!is_constant_[operand.node]) is_constant_[i] = false;
      const NodeInfo* info = graph_.info(i);
      is_derivative_[i] = info != nullptr && info->is_derivative && !is_constant_[i];
      is_late_[i] = is_derivative_[i];
      for (const Value operand : graph_.node(i).operands)
        if (is_late_[operand.node]) is_late_[i] = true;
    }
    std::vector<bool> is_needed = is_late_;
    for (auto i = static_cast<std::uint32_t>(count_); i-- > 0;)
      if (is_needed[i])
        for (const Value operand : graph_.node(i).operands) is_needed[operand.node] = true;
    is_forward_.assign(count_, false);
    for (std::uint32_t i = 0; i < count_; ++i) {
      is_forward_[i] = is_needed[i] && !is_late_[i] && !is_constant_[i] &&
                       !std::holds_alternative<Parameter>(graph_.node(i).op);
      if (is_forward_[i]) forward_nodes_.push_back(i);
    }
  }

  // Cuts the forward pass into parts that keep about as much each, where little is alive.
  void cut() {
    std::vector<std::uint32_t> last_use(count_);
    std::vector<bool> crosses(count_);  // into the backward pass
    for (std::uint32_t i = 0; i < count_; ++i)
      for (const Value operand : graph_.node(i).operands) {
        if (is_forward_[i]) last_use[operand.node] = i;
        if (is_late_[i]) crosses[operand.node] = true;
      }
    struct Position {
      std::int64_t kept = 0, alive = 0;  // bytes up to here, and from here on
    };
    std::vector<Position> positions;
    std::multimap<std::uint32_t, std::int64_t> ends;
    std::int64_t alive = 0;
    for (const std::uint32_t i : forward_nodes_) {
      if (crosses[i]) kept_bytes_ += bytes(i);
      if (last_use[i] > i) {
        alive += bytes(i);
        ends.emplace(last_use[i], bytes(i));
      }
      for (; !ends.empty() && ends.begin()->first <= i; ends.erase(ends.begin()))
        alive -= ends.begin()->second;
      positions.push_back({kept_bytes_, alive});
    }
    std::vector<bool> ends_segment(positions.size());
    std::size_t p = 0;
    for (int k = 1; k < segments_; ++k) {
      const auto bound = [&](double part) {
        return static_cast<std::int64_t>(static_cast<double>(kept_bytes_) * part / segments_);
      };
      std::optional<std::size_t> best;
      for (; p < positions.size() && positions[p].kept <= bound(k + 0.5); ++p)
        if (positions[p].kept > bound(k - 0.5) &&
            (!best || positions[p].alive <= positions[*best].alive))
          best = p;
      if (best) ends_segment[*best] = true;
    }
    segment_.assign(count_, kNoSegment);
    std::int32_t segment = 0;
    for (p = 0; p < positions.size(); ++p) {
      segment_[forward_nodes_[p]] = segment;
      if (ends_segment[p]) ++segment;
    }
    last_segment_ = segment_[forward_nodes_.back()];
  }

  void choose_kept() {
    is_kept_.assign(count_, true);
    const std::int64_t small = std::max(kSmallBytes, kept_bytes_ / kSmallPart);
    for (const std::uint32_t i : forward_nodes_) {
      const bool stays = policy_ == RecomputePolicy::cheap && is_expensive(graph_.node(i).op);
      is_kept_[i] = segment_[i] == last_segment_ || bytes(i) <= small || stays;
    }
    for (const std::uint32_t i : forward_nodes_)
      for (const Value operand : graph_.node(i).operands)
        if (is_forward_[operand.node] && segment_[operand.node] != segment_[i])
          is_kept_[operand.node] = true;
    for (const Output& output : graph_.outputs()) is_kept_[output.value.node] = true;
    // What is moved again must be there.
    for (auto i = static_cast<std::uint32_t>(count_); i-- > 0;)
      if (is_forward_[i] && is_kept_[i] && only_moves(graph_.node(i).op))
        is_kept_[graph_.node(i).operands[0].node] = true;
  }

  // For each segment a gradient that enters it from later ones: the last one there is, so that
  // what is computed again waits until it is needed. It must not depend on what waits for it.
  // Without any, the segment is kept.
  void find_gates() {
    struct Reach {
      std::int32_t first = kNoSegment, first_again = kNoSegment, last = -1;
    };
    std::vector<Reach> reach(count_);
    gates_.assign(static_cast<std::size_t>(last_segment_) + 1, kNoNode);
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (!is_late_[i]) continue;
      Reach& mine = reach[i];
      for (const Value operand : graph_.node(i).operands) {
        const std::uint32_t v = operand.node;
        Reach other = reach[v];
        if (is_forward_[v])
          other = {segment_[v], is_kept_[v] ? kNoSegment : segment_[v], segment_[v]};
        mine.first = std::min(mine.first, other.first);
        mine.first_again = std::min(mine.first_again, other.first_again);
        mine.last = std::max(mine.last, other.last);
      }
      if (!is_derivative_[i]) continue;
      for (const Value operand : graph_.node(i).operands) {
        const std::uint32_t d = operand.node;
        if (!is_derivative_[d]) continue;
        const std::int32_t end = std::min(reach[d].last, reach[d].first_again);
        for (std::int32_t s = mine.first; s < end; ++s) {
          std::uint32_t& gate = gates_[static_cast<std::size_t>(s)];
          if (gate == kNoNode || gate < d) gate = d;
        }
      }
    }
    for (const std::uint32_t i : forward_nodes_)
      if (gates_[static_cast<std::size_t>(segment_[i])] == kNoNode) is_kept_[i] = true;
  }

  // A node as it is, or computed again when the node `gate` of the backward pass is there.
  struct Copy {
    std::uint32_t node;
    std::uint32_t gate = kNoNode;
    bool is_again() const { return gate != kNoNode; }
    auto operator<=>(const Copy&) const = default;
  };
  std::optional<std::uint32_t> made(const Copy& copy) const {
    if (!copy.is_again()) return made_[copy.node];
    const auto found = made_again_.find(copy);
    return found == made_again_.end() ? std::nullopt : std::optional(found->second);
  }
  void set_made(const Copy& copy, std::uint32_t node) {
    if (copy.is_again())
      made_again_[copy] = node;
    else
      made_[copy.node] = node;
  }
  // What `reader` takes for a value of `node`.
  Copy source(const Copy& reader, std::uint32_t node) const {
    if (!is_forward_[node]) return {node};
    if (reader.is_again()) {
      const bool is_again = !is_kept_[node] || only_moves(graph_.node(node).op);
      return {node, is_again ? reader.gate : kNoNode};
    }
    if (!is_late_[reader.node] || is_kept_[node]) return {node};
    return {node, gates_[static_cast<std::size_t>(segment_[node])]};
  }

  Graph emit() {
    made_.assign(count_, std::nullopt);
    std::vector<Value> inputs;
    Builder builder = builder_with_inputs_of(graph_, inputs);
    for (std::uint32_t i = 0; i < count_; ++i)
      if (const auto* parameter = std::get_if<Parameter>(&graph_.node(i).op))
        set_made({i}, inputs[static_cast<std::size_t>(parameter->position)].node);
    for (std::uint32_t i = 0; i < count_; ++i) make(builder, {i});
    std::vector<Output> outputs(graph_.outputs().begin(), graph_.outputs().end());
    for (Output& output : outputs) output.value = {*made({output.value.node}), output.value.result};
    return std::move(builder).finish(std::move(outputs));
  }

  // After all that it needs; graphs are too deep for recursion.
  void make(Builder& builder, const Copy& wanted) {
    std::vector<Copy> stack{wanted};
    while (!stack.empty()) {
      const Copy copy = stack.back();
      if (made(copy)) {
        stack.pop_back();
        continue;
      }
      const std::size_t depth = stack.size();
      for (const Value operand : graph_.node(copy.node).operands)
        if (const Copy needed = source(copy, operand.node); !made(needed)) stack.push_back(needed);
      if (copy.is_again() && !made({copy.gate})) stack.push_back({copy.gate});
      if (stack.size() > depth) continue;
      add(builder, copy);
      stack.pop_back();
    }
  }

  void add(Builder& builder, const Copy& copy) {
    std::vector<Value> operands;
    for (const Value operand : graph_.node(copy.node).operands) {
      const Copy from = source(copy, operand.node);
      Value value{*made(from), operand.result};
      if (copy.is_again() && !from.is_again())
        value = behind_gate(builder, copy.gate, operand, value);
      operands.push_back(value);
    }
    const Value result = builder.add(graph_.node(copy.node).op, operands);
    set_made(copy, result.node);
    if (const NodeInfo* info = graph_.info(copy.node)) builder.describe(result.node, *info);
  }

  // `value` of `operand`, which is not there before the gradient `gate` is.
  Value behind_gate(Builder& builder, std::uint32_t gate, Value operand, Value value) {
    if (is_constant_[operand.node]) return value;
    const auto key = std::tuple(gate, operand.node, operand.result);
    const auto known = gated_.find(key);
    if (known != gated_.end()) return known->second;
    const Value waited{*made({gate}), 0};
    const Barrier barrier{static_cast<std::int64_t>(gated_.size())};
    return gated_[key] = builder.add(barrier, {value, waited});
  }

  const Graph& graph_;
  const RecomputePolicy policy_;
  const int segments_;
  const std::size_t count_;
  std::vector<bool> is_constant_, is_derivative_, is_late_, is_forward_, is_kept_;
  std::vector<std::uint32_t> forward_nodes_;
  std::int64_t kept_bytes_ = 0;  // that the backward pass reads
  std::vector<std::int32_t> segment_;
  std::int32_t last_segment_ = 0;
  std::vector<std::uint32_t> gates_;  // of each segment: a node of the backward pass
  std::vector<std::optional<std::uint32_t>> made_;
  std::map<Copy, std::uint32_t> made_again_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, Value> gated_;
};

}  // namespace

Graph recompute(const Graph& graph, const PassContext& context) {
  check(context.recompute != RecomputePolicy::automatic, "recompute: automatic needs a planner");
  if (context.recompute == RecomputePolicy::none) return graph;
  return Recomputation(graph, context.recompute, context.recompute_segments).run();
}

std::span<const Pass> recompute_passes() {
  static constexpr Pass kPasses[] = {{"recompute", recompute}};
  return kPasses;
}

}  // namespace tenon::passes

#include <set>

#include "tenon/lower/elements.h"
#include "tenon/lower/reduce.h"

namespace tenon::lower {

namespace {

// Bounds the time that compilers need for one kernel: they write every function out. Beyond this,
// the memory between two kernels costs little next to what they compute.
constexpr int kMostWork = 200;               // of all nodes, each at least 1
constexpr int kExpensiveWork = 8;            // of a node that is_expensive
constexpr std::int64_t kLongestRow = 16384;  // that stays in one tile

// A row is one thread's work; with few of them it must be short.
constexpr std::int64_t kLongestLoneRow = 4096;
constexpr std::int64_t kFewRows = 8;

// Which positions of a node are needed where a reduction or contraction is computed.
enum class Domain : std::uint8_t {
  independent,  // computed from memory: at any position
  kept,         // one element for each result of the reductions, or of the contraction
  full,         // one element for each operand element of the reductions
};

template <class Op>
bool holds(const ir::Node& node) {
  return std::holds_alternative<Op>(node.op);
}

bool is_elementwise(const ir::Node& node) {
  return holds<ir::Elementwise>(node) || holds<ir::Select>(node) || holds<ir::Cast>(node) ||
         holds<ir::Bitcast>(node) || holds<ir::ShardingConstraint>(node);
}

bool reads_other_positions(const ir::Node& node) {
  return !is_elementwise(node) && !holds<ir::Reshape>(node);
}

bool is_expensive(const ir::Node& node) {
  if (holds<ir::RandomBits>(node)) return true;
  const auto* elementwise = std::get_if<ir::Elementwise>(&node.op);
  if (elementwise == nullptr) return false;
  using enum ScalarFunction;
  for (const ScalarFunction f :
       {exp, expm1, log, log1p, cbrt, sin, cos, tan, tanh, logistic, erf, power, atan2, remainder})
    if (elementwise->function == f) return true;
  return false;
}

class Check {
 public:
  Check(const ir::Graph& graph, const Region& region) : graph_(graph), region_(region) {
    inputs_.insert(region.inputs.begin(), region.inputs.end());
  }

  bool run() {
    if (region_.outputs.empty()) return false;
    int anchors = 0, work = 0;
    for (const std::uint32_t node : region_.nodes) {
      work += is_expensive(graph_.node(node)) ? kExpensiveWork : 1;
      if (work > kMostWork) return false;
      switch (fusability(graph_.node(node).op)) {
        case Fusability::pointwise: break;
        case Fusability::reduction: break;
        case Fusability::contraction:
          anchor_ = node;
          ++anchors;
          break;
        case Fusability::alone: return region_.nodes.size() == 1;
        case Fusability::structural: return false;
      }
    }
    const std::vector<std::uint32_t> reductions = reductions_of(graph_, region_.nodes);
    if (anchors > 1 || (anchors == 1 && !reductions.empty())) return false;
    if (!are_positions_few(reductions)) return false;
    if (anchors == 1) return fits_contraction();
    if (!reductions.empty()) return fits_reductions(reductions);
    return have_count(count(region_.outputs.front()));
  }

 private:
  std::int64_t count(ir::Value value) const { return element_count(graph_.type(value).shape); }
  bool is_inside(ir::Value value) const { return !inputs_.contains(value); }

  bool have_count(std::int64_t expected) const {
    return std::ranges::all_of(region_.outputs,
                               [&](ir::Value value) { return count(value) == expected; });
  }

  // At how many different positions each node is computed, roughly: few, and expensive ones once.
  bool are_positions_few(const std::vector<std::uint32_t>& reductions) const {
    std::map<std::uint32_t, std::int64_t> same, other;  // read at one's own positions, or elsewhere
    std::int64_t largest = 1;
    for (const std::uint32_t node : region_.nodes) largest = std::max(largest, count({node, 0}));
    for (std::size_t i = region_.nodes.size(); i-- > 0;) {
      const std::uint32_t index = region_.nodes[i];
      const ir::Node& node = graph_.node(index);
      const std::int64_t size = count({index, 0});
      const std::int64_t positions =
          size == 1 ? 1 : std::max<std::int64_t>(same[index] + other[index], 1);
      const bool is_small = size * 8 <= largest && !holds<ir::RandomBits>(node);
      if (positions > (is_expensive(node) && !is_small ? 1 : 4)) return false;
      // All reductions of a region read the same positions.
      const bool is_reduction = std::ranges::count(reductions, index) > 0;
      for (const ir::Value operand : node.operands) {
        if (!is_inside(operand)) continue;
        if (holds<ir::Concatenate>(node))  // every operand is computed for every element
          other[operand.node] += positions * static_cast<std::int64_t>(node.operands.size());
        else if (reads_other_positions(node) && !is_reduction)
          other[operand.node] += positions;
        else
          same[operand.node] = std::max(same[operand.node], positions);
      }
    }
    return true;
  }

  // The domain of an elementwise node or reshape; none if its operands are needed at different
  // places.
  std::optional<Domain> common_domain(const ir::Node& node) const {
    Domain result = Domain::independent;
    for (const ir::Value operand : node.operands) {
      const Domain domain = domain_of(operand);
      if (domain == Domain::independent) continue;
      if (result != Domain::independent && result != domain) return std::nullopt;
      result = domain;
    }
    return result;
  }
  Domain domain_of(ir::Value value) const {
    if (!is_inside(value)) return Domain::independent;
    const auto found = domains_.find(value.node);
    return found == domains_.end() ? Domain::independent : found->second;
  }

  bool fits_contraction() {
    const ir::Node& anchor = graph_.node(*anchor_);
    for (const ir::Value operand : anchor.operands)
      if (is_inside(operand)) return false;
    for (const std::uint32_t index : region_.nodes) {
      const ir::Node& node = graph_.node(index);
      if (index == *anchor_) {
        domains_[index] = Domain::kept;
        continue;
      }
      const auto domain = common_domain(node);
      if (!domain) return false;
      if (*domain != Domain::independent && !is_elementwise(node) && !holds<ir::Reshape>(node))
        return false;
      domains_[index] = *domain;
    }
    return have_count(count({*anchor_, 0}));
  }

  bool fits_reductions(const std::vector<std::uint32_t>& reductions) {
    const ir::Node& first = graph_.node(reductions.front());
    const Axes& axes = std::get<ir::Reduce>(first.op).axes;
    const Shape& shape = graph_.type(first.operands[0]).shape;
    if (element_count(shape) == 0) return region_.nodes.size() == 1;
    space_.clear();
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] != 1)
        space_.push_back({shape[i], std::ranges::count(axes, static_cast<std::int64_t>(i)) > 0
                                        ? kReduced
                                        : kKept});
    const std::int64_t reduced = group_of(space_, kReduced).extent;
    bool is_chain = false;
    for (const std::uint32_t index : region_.nodes) {
      const ir::Node& node = graph_.node(index);
      if (std::ranges::count(reductions, index) > 0) {
        if (std::get<ir::Reduce>(node.op).axes != axes ||
            graph_.type(node.operands[0]).shape != shape)
          return false;
        const Domain from = domain_of(node.operands[0]);
        if (from == Domain::kept) return false;
        is_chain |= from == Domain::full;
        domains_[index] = Domain::kept;
        continue;
      }
      const auto domain = common_domain(node);
      if (!domain) return false;
      domains_[index] = *domain;
      if (*domain == Domain::independent) continue;
      if (is_elementwise(node) || holds<ir::Reshape>(node)) continue;
      if (!holds<ir::Broadcast>(node)) return false;
      if (count({index, 0}) == count(node.operands[0])) continue;
      if (*domain != Domain::kept || !spreads_results(node)) return false;
      domains_[index] = Domain::full;
      is_chain = true;
    }
    const std::int64_t full = element_count(shape);
    const std::int64_t longest = full / reduced < kFewRows ? kLongestLoneRow : kLongestRow;
    if (is_chain && (reduced > longest || space_.back().label != kReduced)) return false;
    return std::ranges::all_of(region_.outputs, [&](ir::Value value) {
      return count(value) == full || count(value) == full / reduced;
    });
  }

  // A broadcast to the full shape that gives each element the result of its own reduction.
  bool spreads_results(const ir::Node& node) const {
    const auto& op = std::get<ir::Broadcast>(node.op);
    const Shape& operand = graph_.type(node.operands[0]).shape;
    if (element_count(op.shape) != range_of(row_major(space_), space_).high + 1) return false;
    const Shape strides = row_major_strides(op.shape);
    const Shape operand_strides = row_major_strides(operand);
    Affine place = constant_affine(space_, 0);
    for (std::size_t i = 0; i < op.axes.size(); ++i) {
      if (operand[i] == 1) continue;
      const auto axis = static_cast<std::size_t>(op.axes[i]);
      const auto above = divide(row_major(space_), strides[axis], space_);
      if (!above) return false;
      const auto along = divide(above->quotient, op.shape[axis], space_);
      if (!along) return false;
      place = sum(std::move(place), scaled(along->remainder, operand_strides[i]));
    }
    return place == kept_major(space_);
  }

  const ir::Graph& graph_;
  const Region& region_;
  std::set<ir::Value> inputs_;
  std::optional<std::uint32_t> anchor_;
  std::map<std::uint32_t, Domain> domains_;
  Space space_;
};

}  // namespace

bool is_one_kernel(const ir::Graph& graph, const Region& region) {
  return Check(graph, region).run();
}

}  // namespace tenon::lower

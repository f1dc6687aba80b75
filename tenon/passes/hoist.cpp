#include "tenon/ir/rebuild.h"
#include "tenon/ir/subgraphs.h"
#include "tenon/passes/loop_body.h"
#include "tenon/passes/move_elementwise.h"
#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

// What a node of a body depends on; each level includes those before.
enum class Dependence : std::uint8_t { constants, invariants, scanned, carried };

// Where a node of a body is computed: in the loop; once before it; before it for all steps.
enum class Place : std::uint8_t { inside, once, batched };

class ScanHoister {
 public:
  ScanHoister(Builder& outer, const Scan& scan, std::span<const Value> operands)
      : outer_(outer),
        scan_(scan),
        body_(*scan.body),
        operands_(operands),
        parameters_(parameter_nodes(body_)),
        dependence_(body_.nodes().size()),
        batchable_(body_.nodes().size()),
        copier_(body_, outer) {
    for (std::size_t i = first_invariant(); i < parameters_.size(); ++i)
      copier_.give(parameters_[i], operands[i]);
    for (std::uint32_t i = 0; i < body_.nodes().size(); ++i) classify(i);
  }

  // The results of the loop that is left, or none if nothing can move.
  Replacement run() {
    find_moves();
    if (moved_once_.empty() && moved_batched_.empty()) return std::nullopt;
    return rebuilt();
  }

 private:
  std::size_t first_invariant() const {
    return static_cast<std::size_t>(scan_.carried + scan_.scanned);
  }

  void classify(std::uint32_t i) {
    const Node& node = body_.node(i);
    if (const auto* parameter = std::get_if<Parameter>(&node.op)) {
      const std::int64_t position = parameter->position;
      dependence_[i] = position < scan_.carried                   ? Dependence::carried
                       : position < scan_.carried + scan_.scanned ? Dependence::scanned
                                                                  : Dependence::invariants;
      batchable_[i] = dependence_[i] == Dependence::scanned;
      return;
    }
    // A barrier marks work that belongs where it is; a while might never end.
    const bool stays =
        std::holds_alternative<Barrier>(node.op) || std::holds_alternative<While>(node.op);
    dependence_[i] = stays ? Dependence::carried : Dependence::constants;
    for (const Value operand : node.operands)
      dependence_[i] = std::max(dependence_[i], dependence_[operand.node]);
    batchable_[i] = dependence_[i] == Dependence::scanned &&
                    (is_elementwise(node.op) || is_movement(node.op) || is_input_product(node));
    for (const Value operand : node.operands)
      if (dependence_[operand.node] == Dependence::scanned && !batchable_[operand.node])
        batchable_[i] = false;
  }

  static bool is_movement(const Op& op) {
    return std::holds_alternative<Reshape>(op) || std::holds_alternative<Transpose>(op) ||
           std::holds_alternative<Broadcast>(op);
  }

  // A dot of something scanned with something invariant.
  bool is_input_product(const Node& node) const {
    const auto* dot = std::get_if<Dot>(&node.op);
    if (dot == nullptr || !dot->lhs_batch.empty()) return false;
    return (dependence_[node.operands[0].node] == Dependence::scanned) !=
           (dependence_[node.operands[1].node] == Dependence::scanned);
  }

  // Broadcasts and the like cost less inside than as an operand of the loop. Nodes of several
  // results stay.
  Place place(std::uint32_t i) const {
    const Node& node = body_.node(i);
    if (node.results.size() != 1) return Place::inside;
    if (std::holds_alternative<Parameter>(node.op) || is_movement(node.op)) return Place::inside;
    if (dependence_[i] == Dependence::invariants) return Place::once;
    if (batchable_[i] && std::holds_alternative<Dot>(node.op)) return Place::batched;
    return Place::inside;
  }

  // The moved values that what stays inside reads.
  void find_moves() {
    std::vector<bool> seen(body_.nodes().size());
    std::vector<Value> pending;
    for (const Output& output : body_.outputs()) pending.push_back(output.value);
    while (!pending.empty()) {
      const Value value = pending.back();
      pending.pop_back();
      const Place where = place(value.node);
      auto& moved = where == Place::once ? moved_once_ : moved_batched_;
      if (where != Place::inside && !std::ranges::count(moved, value.node))
        moved.push_back(value.node);
      if (where != Place::inside || seen[value.node]) continue;
      seen[value.node] = true;
      for (const Value operand : body_.node(value.node).operands) pending.push_back(operand);
    }
    std::ranges::sort(moved_once_);
    std::ranges::sort(moved_batched_);
  }

  Shape with_steps(Shape shape) const {
    shape.insert(shape.begin(), scan_.length);
    return shape;
  }
  static Axes shifted(Axes axes) {
    for (std::int64_t& axis : axes) ++axis;
    return axes;
  }
  static Axes with_leading_zero(const Axes& axes) {
    Axes all = shifted(axes);
    all.insert(all.begin(), 0);
    return all;
  }

  // The value for all steps at once, steps along a new leading axis.
  Value batched(Value value) {
    const auto found = batched_.find(value);
    if (found != batched_.end()) return found->second;
    const Value made = make_batched(value);
    batched_.emplace(value, made);
    return made;
  }

  Value make_batched(Value value) {
    const Node& node = body_.node(value.node);
    if (dependence_[value.node] < Dependence::scanned) {
      const Value once = copier_.copy(value);
      const Shape shape = outer_.type(once).shape;
      Axes axes;
      for (std::size_t i = 0; i < shape.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
      return outer_.add(Broadcast{with_steps(shape), shifted(std::move(axes))}, {once});
    }
    if (const auto* parameter = std::get_if<Parameter>(&node.op))
      return operands_[static_cast<std::size_t>(parameter->position)];
    if (std::holds_alternative<Dot>(node.op)) return batched_dot(node);
    std::vector<Value> operands;
    for (const Value operand : node.operands) operands.push_back(batched(operand));
    Op op = node.op;
    if (auto* reshape = std::get_if<Reshape>(&op)) {
      reshape->shape = with_steps(reshape->shape);
    } else if (auto* transpose = std::get_if<Transpose>(&op)) {
      transpose->permutation = with_leading_zero(transpose->permutation);
    } else if (auto* broadcast = std::get_if<Broadcast>(&op)) {
      broadcast->shape = with_steps(broadcast->shape);
      broadcast->axes = with_leading_zero(broadcast->axes);
    }
    return outer_.add(std::move(op), operands);
  }

  Value batched_dot(const Node& node) {
    Dot dot = std::get<Dot>(node.op);
    if (dependence_[node.operands[0].node] == Dependence::scanned) {
      dot.lhs_contracting = shifted(dot.lhs_contracting);
      return outer_.add(std::move(dot),
                        {batched(node.operands[0]), copier_.copy(node.operands[1])});
    }
    // The steps come after the free axes of the left operand; move them to the front.
    const std::int64_t left =
        body_.type(node.operands[0]).rank() - static_cast<std::int64_t>(dot.lhs_contracting.size());
    dot.rhs_contracting = shifted(dot.rhs_contracting);
    const Value product =
        outer_.add(std::move(dot), {copier_.copy(node.operands[0]), batched(node.operands[1])});
    Axes order = {left};
    for (std::int64_t i = 0; i < outer_.type(product).rank(); ++i)
      if (i != left) order.push_back(i);
    return transpose(outer_, product, std::move(order));
  }

  std::vector<Value> rebuilt() {
    Builder body;
    NodeCopier inner(body_, body);
    std::vector<Value> operands;
    const auto keep_input = [&](std::size_t i) {
      inner.give(parameters_[i], body.input(body_.inputs()[i]));
      operands.push_back(operands_[i]);
    };
    const auto moved_input = [&](std::uint32_t node, Value operand) {
      const NodeInfo* info = body_.info(node);
      inner.give(node, body.input({info ? info->name : "", body_.node(node).results[0], Role::data,
                                   Sharding{}}));
      operands.push_back(operand);
    };
    const std::size_t first = first_invariant();
    for (std::size_t i = 0; i < first; ++i) keep_input(i);
    for (const std::uint32_t node : moved_batched_) moved_input(node, batched({node, 0}));
    for (std::size_t i = first; i < parameters_.size(); ++i) keep_input(i);
    for (const std::uint32_t node : moved_once_) moved_input(node, copier_.copy({node, 0}));
    std::vector<Value> outputs;
    for (const Output& output : body_.outputs()) outputs.push_back(inner.copy(output.value));
    Scan scan = scan_;
    scan.scanned += static_cast<std::int64_t>(moved_batched_.size());
    scan.body = GraphRef(std::move(body).finish(outputs));
    return outer_.results(outer_.add(std::move(scan), operands));
  }

  Builder& outer_;
  const Scan& scan_;
  const Graph& body_;
  std::span<const Value> operands_;
  std::vector<std::uint32_t> parameters_;
  std::vector<Dependence> dependence_;
  std::vector<bool> batchable_;
  NodeCopier copier_;  // to the outer graph, for what does not depend on the step
  std::map<Value, Value> batched_;
  std::vector<std::uint32_t> moved_once_, moved_batched_;
};

}  // namespace

Graph hoist(const Graph& graph, const PassContext& context) {
  return rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    if (!has_subgraphs(node.op)) return std::nullopt;
    const Op op = map_subgraphs(node.op, [&](const Graph& inner) { return hoist(inner, context); });
    if (const auto* scan = std::get_if<Scan>(&op))
      if (Replacement moved = ScanHoister(node.builder, *scan, node.operands).run()) return moved;
    return node.builder.results(node.builder.add(op, node.operands));
  });
}

}  // namespace tenon::passes

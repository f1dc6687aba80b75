#include <algorithm>

#include "tenon/ir/rebuild.h"
#include "tenon/ir/subgraphs.h"
#include "tenon/passes/loop_body.h"
#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

constexpr std::int64_t kMostStackedBytes = std::int64_t{1} << 26;

// A carried value to which each step only adds a product or a sum: the gradient of a weight. The
// loop need not carry it: one product over the steps as well, behind the loop, is the same.
class SumHoister {
 public:
  SumHoister(Builder& outer, const Scan& scan, std::span<const Value> operands)
      : outer_(outer),
        scan_(scan),
        body_(*scan.body),
        operands_(operands),
        parameters_(parameter_nodes(body_)) {
    for (const Node& node : body_.nodes())
      for (const Value operand : node.operands) ++uses_[operand];
    for (const Output& output : body_.outputs()) ++uses_[output.value];
  }

  // The results of the loop that is left, or none if it adds nothing up.
  Replacement run() {
    for (std::size_t i = 0; i < carried(); ++i)
      if (const std::optional<std::uint32_t> term = added_term(i)) terms_.emplace(i, *term);
    if (terms_.empty()) return std::nullopt;
    return rebuilt();
  }

 private:
  std::size_t carried() const { return static_cast<std::size_t>(scan_.carried); }

  int uses(Value value) const {
    const auto found = uses_.find(value);
    return found == uses_.end() ? 0 : found->second;
  }

  // The node of what is added, if that can leave the loop.
  std::optional<std::uint32_t> added_term(std::size_t position) const {
    const Value next = body_.outputs()[position].value, old{parameters_[position], 0};
    const Node& node = body_.node(next.node);
    const auto* sum = std::get_if<Elementwise>(&node.op);
    if (sum == nullptr || sum->function != ScalarFunction::add) return std::nullopt;
    if (uses(next) != 1 || uses(old) != 1) return std::nullopt;
    for (std::size_t i = 0; i < 2; ++i) {
      const Value term = node.operands[1 - i];
      if (node.operands[i] != old || uses(term) != 1) continue;
      const Node& added = body_.node(term.node);
      const auto* reduce = std::get_if<Reduce>(&added.op);
      const bool is_sum = std::holds_alternative<Dot>(added.op) ||
                          (reduce != nullptr && reduce->kind == ReduceKind::sum);
      const std::int64_t most = byte_size(body_.type(old));
      if (is_sum &&
          std::ranges::all_of(added.operands, [&](Value value) { return may_stack(value, most); }))
        return term.node;
    }
    return std::nullopt;
  }

  bool is_scanned(Value value) const { return scanned_operand(value).has_value(); }
  std::optional<std::size_t> scanned_operand(Value value) const {
    const auto* parameter = std::get_if<Parameter>(&body_.node(value.node).op);
    if (parameter == nullptr || parameter->position < scan_.carried ||
        parameter->position >= scan_.carried + scan_.scanned)
      return std::nullopt;
    return static_cast<std::size_t>(parameter->position);
  }
  std::optional<std::size_t> stacked_output(Value value) const {
    for (std::size_t k = carried(); k < body_.outputs().size(); ++k)
      if (body_.outputs()[k].value == value) return k;
    return std::nullopt;
  }

  // All steps' values lie in memory already, or writing them costs no more than carrying the sum
  // did, and little memory.
  bool may_stack(Value value, std::int64_t most_bytes) const {
    if (is_scanned(value) || stacked_output(value)) return true;
    const bool is_input = std::holds_alternative<Parameter>(body_.node(value.node).op);
    const std::int64_t bytes = byte_size(body_.type(value));
    return !is_input && bytes <= most_bytes &&
           (bytes == 0 || scan_.length <= kMostStackedBytes / bytes);
  }

  std::vector<Value> rebuilt() {
    Builder body;
    NodeCopier inner(body_, body);
    std::vector<Value> operands, outputs;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      if (terms_.contains(i)) continue;
      inner.give(parameters_[i], body.input(body_.inputs()[i]));
      operands.push_back(operands_[i]);
    }
    std::map<Value, std::size_t> stacks;  // by value: the number of the new loop's result
    const auto keep = [&](Value value) {
      outputs.push_back(inner.copy(value));
      return outputs.size() - 1;
    };
    for (std::size_t k = 0; k < body_.outputs().size(); ++k) {
      if (k < carried() && terms_.contains(k)) continue;
      const Value value = body_.outputs()[k].value;
      const std::size_t result = keep(value);
      if (k >= carried()) stacks.try_emplace(value, result);
    }
    for (const auto& [position, term] : terms_)
      for (const Value operand : body_.node(term).operands)
        if (!is_scanned(operand) && !stacks.contains(operand))
          stacks.emplace(operand, keep(operand));

    Scan scan = scan_;
    scan.carried -= static_cast<std::int64_t>(terms_.size());
    scan.body = GraphRef(std::move(body).finish(outputs));
    const std::vector<Value> fresh = outer_.results(outer_.add(std::move(scan), operands));

    std::vector<Value> results;
    for (std::size_t k = 0, next = 0; k < body_.outputs().size(); ++k) {
      const auto term = terms_.find(k);
      if (term == terms_.end()) {
        results.push_back(fresh[next++]);
        continue;
      }
      std::vector<Value> stacked;
      for (const Value operand : body_.node(term->second).operands)
        stacked.push_back(is_scanned(operand) ? operands_[*scanned_operand(operand)]
                                              : fresh[stacks.at(operand)]);
      results.push_back(add(outer_, operands_[k], over_all_steps(term->second, stacked)));
    }
    return results;
  }

  Value over_all_steps(std::uint32_t term, const std::vector<Value>& stacked) {
    Op op = body_.node(term).op;
    const auto shift = [](Axes& axes) {
      for (std::int64_t& axis : axes) ++axis;
    };
    const auto shift_behind_steps = [&](Axes& axes) {
      shift(axes);
      axes.insert(axes.begin(), 0);
    };
    if (auto* reduce = std::get_if<Reduce>(&op)) {
      shift_behind_steps(reduce->axes);
    } else {
      auto& dot = std::get<Dot>(op);
      shift(dot.lhs_batch);
      shift(dot.rhs_batch);
      shift_behind_steps(dot.lhs_contracting);
      shift_behind_steps(dot.rhs_contracting);
    }
    return outer_.add(std::move(op), stacked);
  }

  Builder& outer_;
  const Scan& scan_;
  const Graph& body_;
  std::span<const Value> operands_;
  std::vector<std::uint32_t> parameters_;
  std::map<Value, int> uses_;
  std::map<std::size_t, std::uint32_t> terms_;  // by carried position: the node of what is added
};

}  // namespace

Graph hoist_sums(const Graph& graph, const PassContext& context) {
  return rebuild(graph, [&](const RebuildNode& node) -> Replacement {
    if (!has_subgraphs(node.op)) return std::nullopt;
    const Op op =
        map_subgraphs(node.op, [&](const Graph& inner) { return hoist_sums(inner, context); });
    if (const auto* scan = std::get_if<Scan>(&op))
      if (Replacement left = SumHoister(node.builder, *scan, node.operands).run()) return left;
    return node.builder.results(node.builder.add(op, node.operands));
  });
}

}  // namespace tenon::passes

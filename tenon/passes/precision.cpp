#include "tenon/passes/precision.h"

#include <algorithm>
#include <array>

#include "tenon/ir/build.h"
#include "tenon/ir/inline_composites.h"
#include "tenon/ir/rebuild.h"
#include "tenon/ir/subgraphs.h"

namespace tenon::passes {
using namespace ir;
namespace {

// What a value is under the policy. Exact and loose values give way to what they meet: constants
// and truth values that the narrow type holds exactly, and weights that were only moved.
enum class Form : std::uint8_t { other, wide, narrow, exact, loose };

bool is_contraction(const Op& op) { return precision_role(op) == PrecisionRole::narrow; }

bool has_contraction(const Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [](const Node& node) {
    bool found = is_contraction(node.op);
    for_each_subgraph(node.op,
                      [&](const Graph& inner) { found = found || has_contraction(inner); });
    return found;
  });
}

// Movement of one operand whatever its values are.
bool keeps_form(const Op& op) {
  return std::holds_alternative<Broadcast>(op) || std::holds_alternative<Reshape>(op) ||
         std::holds_alternative<Transpose>(op) || std::holds_alternative<Reverse>(op) ||
         std::holds_alternative<Slice>(op);
}

bool is_exact_in(const HostTensor& value, DType dtype) {
  const HostTensor narrow = converted(value, dtype);
  for (std::int64_t i = 0; i < value.size(); ++i)
    if (element_as_double(value, i) != element_as_double(narrow, i)) return false;
  return true;
}

// Extremes "accumulate" in the type they are of.
Op with_element_type_of(Op op, DType dtype) {
  std::visit(
      [&]<class T>(T& o) {
        if constexpr (requires { o.accumulate; }) o.accumulate = dtype;
      },
      op);
  return op;
}

Op with_result(Op op, DType dtype) {
  std::visit(
      [&]<class T>(T& o) {
        if constexpr (std::is_same_v<T, Dot> || std::is_same_v<T, Convolution>) o.result = dtype;
      },
      op);
  return op;
}

class Narrowing {
 public:
  Narrowing(const Graph& graph, PrecisionPolicy policy, std::vector<std::uint32_t> optimizer_inputs)
      : graph_(graph),
        policy_(policy),
        narrow_(policy == PrecisionPolicy::bf16 ? DType::bf16 : DType::f16),
        live_(live_nodes(graph)),
        of_optimizer_(graph.nodes().size()),
        forms_(graph.nodes().size(), Form::other),
        is_wanted_(graph.nodes().size()),
        feeds_product_(graph.nodes().size()),
        made_(graph.nodes().size()) {
    find_optimizer(optimizer_inputs);
    for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
      if (live_[i]) forms_[i] = form_of_node(i);
    for (auto i = static_cast<std::uint32_t>(graph.nodes().size()); i-- > 0;)
      if (live_[i]) tell_operands(i);
  }

  Graph run() {
    for (const std::uint32_t i : nodes_by_need(graph_)) {
      const std::uint32_t first_new = builder_.node_count();
      make(i);
      if (const NodeInfo* info = graph_.info(i))
        for (std::uint32_t k = first_new; k < builder_.node_count(); ++k)
          builder_.describe(k, *info);
    }
    std::vector<Output> outputs(graph_.outputs().begin(), graph_.outputs().end());
    for (Output& output : outputs) output.value = wide(output.value);
    // Without what nothing reads, in the order of need.
    return rebuild(std::move(builder_).finish(std::move(outputs)),
                   [](const RebuildNode&) { return std::nullopt; });
  }

 private:
  bool is_f32(Value v) const { return graph_.type(v).dtype == DType::f32; }
  Form form(Value v) const { return is_f32(v) ? forms_[v.node] : Form::other; }
  bool has_f32_result(const Node& node) const {
    return std::ranges::any_of(node.results,
                               [](const TensorType& type) { return type.dtype == DType::f32; });
  }

  void find_optimizer(const std::vector<std::uint32_t>& inputs) {
    for (std::uint32_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = graph_.node(i);
      if (const auto* parameter = std::get_if<Parameter>(&node.op))
        of_optimizer_[i] =
            std::ranges::count(inputs, static_cast<std::uint32_t>(parameter->position)) > 0;
      for (const Value operand : node.operands)
        if (of_optimizer_[operand.node]) of_optimizer_[i] = true;
    }
  }

  // Whether the product is one the policy is for.
  bool is_product(std::uint32_t i) const {
    const Node& node = graph_.node(i);
    if (of_optimizer_[i] || !is_contraction(node.op)) return false;
    for (const Value operand : node.operands) {
      if (graph_.type(operand).dtype == DType::f64) throw_f64(i);
      if (!is_f32(operand)) return false;
    }
    return node.results[0].dtype == DType::f32;
  }
  [[noreturn]] void throw_f64(std::uint32_t i) const {
    const Node& node = graph_.node(i);
    const NodeInfo* info = graph_.info(i);
    std::vector<TensorType> types;
    for (const Value operand : node.operands) types.push_back(graph_.type(operand));
    throw UserError(fmt::format(
        "precision {} is for steps in f32: {}{} of {}\n  help: choose dtype f32, or precision f32, "
        "which leaves f64 as it is",
        enum_names(PrecisionPolicy{})[static_cast<std::size_t>(policy_)], name(node.op),
        info == nullptr || info->name.empty() ? "" : fmt::format(" \"{}\"", info->name),
        fmt::join(types, " and ")));
  }

  Form form_of_node(std::uint32_t i) const {
    const Node& node = graph_.node(i);
    if (is_product(i)) return Form::narrow;
    if (!has_f32_result(node)) return Form::other;
    if (const auto* parameter = std::get_if<Parameter>(&node.op)) {
      const Input& input = graph_.inputs()[static_cast<std::size_t>(parameter->position)];
      return input.role == Role::state && !of_optimizer_[i] ? Form::loose : Form::wide;
    }
    if (const auto* constant = std::get_if<Constant>(&node.op))
      return is_exact_in(*constant->value, narrow_) ? Form::exact : Form::loose;
    if (std::holds_alternative<Cast>(node.op))
      return is_boolean(graph_.type(node.operands[0]).dtype) ? Form::exact : Form::wide;
    if (of_optimizer_[i] || precision_role(node.op) != PrecisionRole::follow) return Form::wide;

    bool is_narrow = false, is_exact = true;
    for (const Value operand : node.operands) {
      const Form given = form(operand);
      if (given == Form::wide) return Form::wide;
      is_narrow = is_narrow || given == Form::narrow;
      is_exact = is_exact && given != Form::loose;
    }
    if (is_narrow) return Form::narrow;
    if (keeps_form(node.op)) return is_exact ? Form::exact : Form::loose;
    return is_exact && std::holds_alternative<Select>(node.op) ? Form::exact : Form::wide;
  }

  // Node i was told by all that use it; it tells its operands.
  void tell_operands(std::uint32_t i) {
    const Node& node = graph_.node(i);
    const bool multiplies = is_product(i);
    bool feeds = multiplies || feeds_product_[i];
    if (!of_optimizer_[i])
      for_each_subgraph(node.op,
                        [&](const Graph& inner) { feeds = feeds || has_contraction(inner); });
    const bool wants = multiplies || (forms_[i] == Form::narrow && is_wanted_[i]);
    for (const Value operand : node.operands) {
      if (feeds) feeds_product_[operand.node] = true;
      if (wants) is_wanted_[operand.node] = true;
    }
  }

  // Whether node i gives its f32 results in the narrow type. A product does unless it is the last
  // one on its way: the gradient of a weight.
  bool gives_narrow(std::uint32_t i) const {
    if (forms_[i] != Form::narrow) return false;
    return is_contraction(graph_.node(i).op) ? feeds_product_[i] : is_wanted_[i];
  }

  struct Made {
    std::vector<std::optional<Value>> wide, narrow;  // of each result
  };

  Value wide(Value v) {
    Made& made = made_[v.node];
    std::optional<Value>& found = made.wide[v.result];
    if (!found) found = cast(builder_, *made.narrow[v.result], DType::f32);
    return *found;
  }
  // Other values than f32 are what they are.
  Value narrow(Value v) {
    if (!is_f32(v)) return wide(v);
    Made& made = made_[v.node];
    std::optional<Value>& found = made.narrow[v.result];
    if (!found) found = cast(builder_, *made.wide[v.result], narrow_);
    return *found;
  }

  std::vector<Value> add_wide(const Op& op, const Node& node) {
    std::vector<Value> operands;
    for (const Value operand : node.operands) operands.push_back(wide(operand));
    return builder_.results(builder_.add(op, operands));
  }
  std::vector<Value> add_narrow(Op op, const Node& node) {
    std::vector<Value> operands;
    for (const Value operand : node.operands) operands.push_back(narrow(operand));
    return builder_.results(builder_.add(with_element_type_of(std::move(op), narrow_), operands));
  }
  // Each value by its own type.
  void keep(std::uint32_t i, const std::vector<Value>& results) {
    Made& made = made_[i];
    for (std::size_t k = 0; k < results.size(); ++k) {
      const bool is_narrow =
          builder_.type(results[k]).dtype == narrow_ && is_f32({i, static_cast<std::uint32_t>(k)});
      (is_narrow ? made.narrow[k] : made.wide[k]) = results[k];
    }
  }

  // Comparisons of narrow values need no f32.
  bool compares_narrow(std::uint32_t i) const {
    const Node& node = graph_.node(i);
    if (!std::holds_alternative<Elementwise>(node.op) || of_optimizer_[i] ||
        precision_role(node.op) != PrecisionRole::follow || has_f32_result(node))
      return false;
    bool has_narrow = false;
    for (const Value operand : node.operands) {
      if (!is_f32(operand)) return false;
      const bool is_narrow = gives_narrow(operand.node);
      if (!is_narrow && forms_[operand.node] != Form::exact) return false;
      has_narrow = has_narrow || is_narrow;
    }
    return has_narrow;
  }

  void make(std::uint32_t i) {
    const Node& node = graph_.node(i);
    made_[i].wide.resize(node.results.size());
    made_[i].narrow.resize(node.results.size());
    if (const auto* parameter = std::get_if<Parameter>(&node.op)) {
      made_[i].wide[0] =
          builder_.input(graph_.inputs()[static_cast<std::size_t>(parameter->position)]);
    } else if (is_product(i)) {
      const bool gives = gives_narrow(i);
      std::vector<Value> operands;
      for (const Value operand : node.operands) operands.push_back(narrow(operand));
      keep(i, {builder_.add(with_result(node.op, gives ? narrow_ : DType::f32), operands)});
    } else if (gives_narrow(i)) {
      const bool meets_loose = std::ranges::any_of(
          node.operands, [&](Value operand) { return form(operand) == Form::loose; });
      if (!meets_loose) return keep(i, add_narrow(node.op, node));
      // Rounded once, the loose operand not at all.
      std::vector<Value> results = add_wide(node.op, node);
      for (Value& result : results)
        if (builder_.type(result).dtype == DType::f32) result = cast(builder_, result, narrow_);
      keep(i, results);
    } else if (compares_narrow(i)) {
      keep(i, add_narrow(node.op, node));
    } else {
      Op op = node.op;
      if (!of_optimizer_[i] && has_subgraphs(op))
        op = map_subgraphs(op,
                           [&](const Graph& inner) { return Narrowing(inner, policy_, {}).run(); });
      keep(i, add_wide(op, node));
      if (forms_[i] == Form::exact || forms_[i] == Form::loose) make_narrow_too(i);
    }
  }

  // A moved weight is the moved cast of the weight, so that there is one cast for all its uses.
  void make_narrow_too(std::uint32_t i) {
    const Node& node = graph_.node(i);
    std::optional<Value>& narrow_result = made_[i].narrow[0];
    if (const auto* value = std::get_if<Constant>(&node.op))
      narrow_result = constant(builder_, converted(*value->value, narrow_));
    else if (std::holds_alternative<Cast>(node.op))
      narrow_result = cast(builder_, wide(node.operands[0]), narrow_);
    else
      narrow_result = add_narrow(node.op, node)[0];
  }

  const Graph& graph_;
  PrecisionPolicy policy_;
  DType narrow_;
  std::vector<bool> live_;
  std::vector<bool> of_optimizer_;   // depends on the optimizer's state
  std::vector<Form> forms_;          // of each node's f32 results
  std::vector<bool> is_wanted_;      // something narrow reads it
  std::vector<bool> feeds_product_;  // a product depends on it
  std::vector<Made> made_;
  Builder builder_;
};

}  // namespace

Graph mixed_precision(const Graph& graph, const PassContext& context) {
  if (context.precision == PrecisionPolicy::f32) return graph;
  const Graph open = inline_composites(graph, [](const Op& op) {
    return !std::holds_alternative<Attention>(op) && !std::holds_alternative<CustomGradient>(op);
  });
  return Narrowing(open, context.precision, context.optimizer_inputs).run();
}

std::span<const Pass> precision_passes() {
  static constexpr Pass kPasses[] = {{"mixed_precision", mixed_precision}};
  return kPasses;
}

}  // namespace tenon::passes

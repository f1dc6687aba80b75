#include "tenon/ir/print.h"

#include "tenon/base/hash.h"
#include "tenon/base/text.h"
#include "tenon/ir/fields.h"

namespace tenon::ir {
namespace {

constexpr std::size_t kLineWidth = 100;

template <class T>
std::string number_text(T value) {
  return fmt::format("{}", value);
}
std::string number_text(bool value) { return value ? "true" : "false"; }
// Shortest text that reads back to the same value; a NaN as its bits.
template <std::floating_point T>
std::string number_text(T value) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  if (std::isnan(value)) return fmt::format("nan:{:#x}", std::bit_cast<Bits>(value));
  return fmt::format("{}", value);
}
template <class T>
requires(std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) std::string
    number_text(T value) {
  const auto wide = static_cast<float>(value);
  return std::isnan(wide) ? fmt::format("nan:{:#x}", value.bits) : fmt::format("{}", wide);
}

std::string string_text(std::string_view text) { return in_quotes(text, text.size()); }

// A name needs no quotes in a comment if it is one plain word.
std::string comment_word(const std::string& text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < '\x7f' && c != '"' && c != '\\';
  });
  return plain ? text : string_text(text);
}

class GraphPrinter {
 public:
  GraphPrinter(std::string& out, const PrintOptions& options, int depth)
      : out_(out),
        options_(options),
        indent_(static_cast<std::size_t>(depth) * 2, ' '),
        depth_(depth) {}

  void graph(const Graph& graph) {
    signature(graph);
    for (std::uint32_t i = 0; i < graph.nodes().size(); ++i)
      if (!std::holds_alternative<Parameter>(graph.node(i).op)) node(graph, i);
    outputs(graph);
    out_ += indent_ + "}";
  }

  // The visitor of an op's fields.
  void operator()(std::string_view name, const auto& field) {
    out_ += fmt::format(" {}=", name);
    add(field);
  }

 private:
  void signature(const Graph& graph) {
    std::vector<std::string> inputs;
    std::size_t width = indent_.size() + std::string_view("graph() {").size();
    for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
      const Input& input = graph.inputs()[i];
      std::string text = parameter_name(graph, i);
      if (!input.name.empty()) text += ' ' + string_text(input.name);
      text += fmt::format(": {} {}", input.type, enum_names(Role{})[static_cast<int>(input.role)]);
      if (input.sharding != Sharding{}) {
        GraphPrinter printer(text, options_, depth_);
        printer("sharding", input.sharding);
      }
      width += text.size() + 2;
      inputs.push_back(std::move(text));
    }
    if (width <= kLineWidth) {
      out_ += fmt::format("graph({}) {{\n", fmt::join(inputs, ", "));
    } else {
      const std::string separator = ",\n" + indent_ + "    ";
      out_ += fmt::format("graph(\n{}    {}) {{\n", indent_, fmt::join(inputs, separator));
    }
  }

  // The node that reads input i, or "%?" in a broken graph.
  static std::string parameter_name(const Graph& graph, std::size_t i) {
    for (std::uint32_t node = 0; node < graph.nodes().size(); ++node) {
      const auto* parameter = std::get_if<Parameter>(&graph.node(node).op);
      if (parameter && static_cast<std::size_t>(parameter->position) == i)
        return fmt::format("%{}", node);
    }
    return "%?";
  }

  void node(const Graph& graph, std::uint32_t index) {
    const Node& node = graph.node(index);
    out_ += fmt::format("{}  %{}: ", indent_, index);
    const bool several = node.results.size() != 1;
    out_ +=
        several ? fmt::format("({})", fmt::join(node.results, ", ")) : to_string(node.results[0]);
    std::vector<std::string> operands;
    for (const Value operand : node.operands) operands.push_back(value_name(graph, operand));
    out_ += fmt::format(" = {}({})", name(node.op), fmt::join(operands, ", "));
    GraphPrinter inner(out_, options_, depth_ + 1);
    if (!std::holds_alternative<Elementwise>(node.op))
      std::visit([&]<class T>(const T& op) { T::fields(op, inner); }, node.op);
    if (const NodeInfo* info = graph.info(index); info && !info->name.empty() && options_.names) {
      out_ += "  // " + comment_word(info->name);
      if (!info->location.empty()) out_ += ' ' + comment_word(info->location);
    }
    out_ += '\n';
  }

  static std::string value_name(const Graph& graph, Value value) {
    const bool several =
        value.node >= graph.nodes().size() || graph.node(value.node).results.size() != 1;
    return several || value.result != 0 ? fmt::format("%{}.{}", value.node, value.result)
                                        : fmt::format("%{}", value.node);
  }

  void outputs(const Graph& graph) {
    std::vector<std::string> texts;
    for (const Output& output : graph.outputs()) {
      std::string text = output.name.empty() ? "" : string_text(output.name) + ": ";
      text += value_name(graph, output.value);
      if (output.updates_input) text += " -> " + parameter_name(graph, *output.updates_input);
      if (output.merge != Merge::carry)
        text += fmt::format(" merge={}", enum_names(Merge{})[static_cast<int>(output.merge)]);
      texts.push_back(std::move(text));
    }
    out_ +=
        fmt::format("{}  return{}{}\n", indent_, texts.empty() ? "" : " ", fmt::join(texts, ", "));
  }

  void add(std::int64_t value) { out_ += fmt::format("{}", value); }
  void add(bool value) { out_ += number_text(value); }
  void add(double value) { out_ += number_text(value); }
  void add(DType value) { out_ += name(value); }
  void add(ScalarFunction value) { out_ += info(value).name; }
  void add(HasEnumNames auto value) { out_ += enum_names(value)[static_cast<std::size_t>(value)]; }
  void add(const std::string& value) { out_ += string_text(value); }
  void add(const TensorType& type) { out_ += to_string(type); }
  void add(const GraphRef& value) {
    if (!value)
      out_ += "none";
    else
      graph(*value);
  }
  void add(const ConstantRef& value) {
    if (value == ConstantRef{}) {
      out_ += "none";
      return;
    }
    out_ += to_string(value->type()) + '{';
    constexpr std::int64_t kShown = 4;
    const bool cut = value->size() > options_.longest_constant;
    const auto shown = static_cast<std::size_t>(cut ? kShown : value->size());
    with_element_type(value->dtype(), [&]<class T>(TypeTag<T>) {
      const std::span<const T> elements = value->as<T>();
      for (std::size_t i = 0; i < std::min(shown, elements.size()); ++i)
        out_ += (i ? ", " : "") + number_text(elements[i]);
    });
    out_ += cut ? ", ...}" : "}";
  }
  template <class T>
  void add(const std::vector<T>& values) {
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i) out_ += ',';
      add(values[i]);
    }
    out_ += ']';
  }
  // A struct: {name=value name=value}.
  void add(const HasFields auto& value) {
    const std::size_t start = out_.size();
    std::remove_cvref_t<decltype(value)>::fields(value, *this);
    if (out_.size() > start)
      out_[start] = '{';
    else
      out_ += '{';
    out_ += '}';
  }

  std::string& out_;
  const PrintOptions& options_;
  std::string indent_;
  int depth_;
};

}  // namespace

std::string print(const Graph& graph, const PrintOptions& options) {
  std::string out;
  GraphPrinter(out, options, 0).graph(graph);
  return out + '\n';
}

std::string digest(const Graph& graph) { return hex_digest(print(graph, {.names = false})); }

}  // namespace tenon::ir

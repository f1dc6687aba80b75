#include "tenon/ir/parse.h"

#include <deque>

#include "tenon/base/text.h"
#include "tenon/ir/fields.h"
#include "tenon/ir/scanner.h"

namespace tenon::ir {
namespace {

constexpr int kDeepest = 32;

// The visitor of an op's fields: reads ` name=value` into each, in order.
class FieldParser {
 public:
  FieldParser(Scanner& scanner, int depth) : scanner_(scanner), depth_(depth) {}

  void operator()(std::string_view name, auto& field) {
    scanner_.expect(name);
    scanner_.expect("=");
    read(field);
  }

  void read(std::int64_t& value) { value = scanner_.integer<std::int64_t>("an integer"); }
  void read(bool& value) { value = scanner_.boolean(); }
  void read(double& value) { value = scanner_.element<double>(); }
  void read(DType& value) { value = scanner_.dtype(); }
  void read(ScalarFunction&) { scanner_.fail("an elementwise op is written as its function"); }
  void read(std::string& value) { value = scanner_.string(); }
  void read(TensorType& value) { value = scanner_.tensor_type(); }
  void read(GraphRef& value);
  void read(ConstantRef& value);
  template <HasEnumNames Enum>
  void read(Enum& value) {
    constexpr auto kNames = enum_names(Enum{});
    const std::string_view word = scanner_.word(fmt::format("one of {}", join(kNames, ", ")));
    const auto found = std::ranges::find(kNames, word);
    if (found == kNames.end())
      scanner_.fail(
          fmt::format("expected one of {}, found {}", join(kNames, ", "), in_quotes(word, 40)),
          scanner_.token_start(word));
    value = static_cast<Enum>(found - kNames.begin());
  }
  template <class T>
  void read(std::vector<T>& values) {
    scanner_.expect("[");
    if (scanner_.take("]")) return;
    do {
      if (values.size() == Scanner::kLongestList)
        scanner_.fail(fmt::format("the list has more than {} entries", Scanner::kLongestList));
      read(values.emplace_back());
    } while (scanner_.take(","));
    scanner_.expect("]");
  }
  template <HasFields T>
  void read(T& value) {
    scanner_.expect("{");
    T::fields(value, *this);
    scanner_.expect("}");
  }

 private:
  Scanner& scanner_;
  int depth_;
};

class GraphParser {
 public:
  GraphParser(Scanner& scanner, int depth) : scanner_(scanner), depth_(depth) {
    if (depth > kDeepest)
      scanner.fail(fmt::format("graphs are nested more than {} deep", kDeepest));
  }

  Graph graph() {
    scanner_.expect("graph");
    scanner_.expect("(");
    if (!scanner_.take(")")) {
      do input();
      while (scanner_.take(","));
      scanner_.expect(")");
    }
    scanner_.expect("{");
    while (!scanner_.take("return")) node();
    for (; !pending_.empty(); pending_.pop_front()) add_input(pending_.front());
    scanner_.skip_space();
    const std::size_t start = scanner_.offset();
    std::vector<Output> outputs;
    if (!scanner_.take("}")) {
      do outputs.push_back(output());
      while (scanner_.take(","));
      scanner_.expect("}");
    }
    try {
      return std::move(builder_).finish(std::move(outputs));
    } catch (const UserError& error) {
      scanner_.fail(error.what(), start);
    }
  }

 private:
  struct PendingInput {
    std::uint32_t id;
    Input input;
    std::size_t offset;
  };

  std::uint32_t id() {
    scanner_.expect("%");
    return scanner_.value_number();
  }

  void input() {
    scanner_.skip_space();
    PendingInput pending{0, {}, scanner_.offset()};
    pending.id = id();
    if (!scanner_.take(":")) {
      pending.input.name = scanner_.string();
      scanner_.expect(":");
    }
    pending.input.type = scanner_.tensor_type();
    FieldParser fields(scanner_, depth_);
    fields.read(pending.input.role);
    if (scanner_.take("sharding")) {
      scanner_.expect("=");
      fields.read(pending.input.sharding);
    }
    const auto position = static_cast<std::uint32_t>(input_ids_.size());
    if (!input_ids_.emplace(pending.id, position).second)
      scanner_.fail(fmt::format("%{} is defined twice", pending.id), pending.offset);
    pending_.push_back(std::move(pending));
  }

  // Inputs keep their place among the nodes: their numbers say where they were added.
  void add_inputs_before(std::uint32_t id) {
    for (; !pending_.empty() && pending_.front().id < id; pending_.pop_front())
      add_input(pending_.front());
  }
  void add_input(const PendingInput& pending) {
    Value value;
    try {
      value = builder_.input(pending.input);
    } catch (const UserError& error) {
      scanner_.fail(error.what(), pending.offset);
    }
    define(pending.id, value, pending.offset);
  }

  void define(std::uint32_t id, Value value, std::size_t offset) {
    if (!values_.emplace(id, value).second)
      scanner_.fail(fmt::format("%{} is defined twice", id), offset);
  }

  // %4 or %4.1
  Value value() {
    scanner_.skip_space();
    const std::size_t start = scanner_.offset();
    scanner_.expect("%");
    const std::uint32_t node = scanner_.value_number();
    const std::uint32_t result = scanner_.take_at_once('.') ? scanner_.value_number() : 0;
    const auto found = values_.find(node);
    if (found == values_.end())
      scanner_.fail(fmt::format("%{} is not defined before its use", node), start);
    const std::size_t results = builder_.node(found->second.node).results.size();
    if (result >= results)
      scanner_.fail(
          fmt::format("%{} has {} results, there is no %{}.{}", node, results, node, result),
          start);
    return {found->second.node, result};
  }

  void node() {
    scanner_.skip_space();
    const std::size_t start = scanner_.offset();
    if (!scanner_.take("%")) scanner_.fail_expected("a node such as %1, or return");
    const auto id = scanner_.value_number();
    if (input_ids_.contains(id)) scanner_.fail(fmt::format("%{} is defined twice", id), start);
    scanner_.expect(":");
    TensorTypes types;
    if (scanner_.take("(")) {
      if (!scanner_.take(")")) {
        do types.push_back(scanner_.tensor_type());
        while (scanner_.take(","));
        scanner_.expect(")");
      }
    } else {
      types.push_back(scanner_.tensor_type());
    }
    scanner_.expect("=");
    add_inputs_before(id);
    const std::string_view name = scanner_.word("the name of an op");
    std::vector<Value> operands;
    scanner_.expect("(");
    if (!scanner_.take(")")) {
      do operands.push_back(value());
      while (scanner_.take(","));
      scanner_.expect(")");
    }
    Op op = this->op(name);
    Value first;
    try {
      first = builder_.add(std::move(op), operands);
    } catch (const UserError& error) {
      scanner_.fail(error.what(), start);
    }
    const TensorTypes& inferred = builder_.node(first.node).results;
    if (inferred != types)
      scanner_.fail(fmt::format("%{} is written as ({}), but {} gives ({})", id,
                                fmt::join(types, ", "), name, fmt::join(inferred, ", ")),
                    start);
    define(id, first, start);
    if (scanner_.take_comment()) describe(first);
  }

  // The attributes follow the operands.
  Op op(std::string_view name) {
    if (const auto function = parse_scalar_function(name)) return Elementwise{*function};
    std::optional<Op> parsed;
    std::vector<std::string> names;
    for (const ScalarFunctionInfo& row : kScalarFunctions) names.emplace_back(row.name);
    const auto try_op = [&]<class T>(const T*) {
      if constexpr (!std::is_same_v<T, Parameter> && !std::is_same_v<T, Elementwise>) {
        names.emplace_back(T::kName);
        if (T::kName != name || parsed) return;
        T op;
        FieldParser fields(scanner_, depth_);
        T::fields(op, fields);
        parsed = std::move(op);
      }
    };
    [&]<class... Ops>(const std::variant<Ops...>*) {
      (try_op(static_cast<const Ops*>(nullptr)), ...);
    }(static_cast<const Op*>(nullptr));
    if (!parsed)
      scanner_.fail(
          fmt::format("there is no op named {}{}", in_quotes(name), did_you_mean(name, names)),
          scanner_.token_start(name));
    return std::move(*parsed);
  }

  // A name and a location, each one word or in quotes.
  void describe(Value value) {
    NodeInfo info;
    info.name = scanner_.line_word();
    info.location = scanner_.line_word();
    const std::size_t start = scanner_.offset();
    if (!scanner_.line_word().empty())
      scanner_.fail("the comment after a node holds its name and its location", start);
    builder_.describe(value.node, std::move(info));
  }

  // "loss": %9 -> %1 merge=sum
  Output output() {
    Output output;
    if (scanner_.next_is('"')) {
      output.name = scanner_.string();
      scanner_.expect(":");
    }
    output.value = value();
    if (scanner_.take("->")) {
      scanner_.skip_space();
      const std::size_t start = scanner_.offset();
      const std::uint32_t input = id();
      const auto found = input_ids_.find(input);
      if (found == input_ids_.end())
        scanner_.fail(fmt::format("%{} is no input; an output updates an input", input), start);
      output.updates_input = found->second;
    }
    if (scanner_.take("merge")) {
      scanner_.expect("=");
      FieldParser(scanner_, depth_).read(output.merge);
    }
    return output;
  }

  Scanner& scanner_;
  int depth_;
  Builder builder_;
  std::deque<PendingInput> pending_;
  std::unordered_map<std::uint32_t, std::uint32_t> input_ids_;  // number -> position
  std::unordered_map<std::uint32_t, Value> values_;
};

void FieldParser::read(GraphRef& value) {
  value = GraphRef(GraphParser(scanner_, depth_ + 1).graph());
}

void FieldParser::read(ConstantRef& value) {
  scanner_.skip_space();
  const std::size_t start = scanner_.offset();
  const TensorType type = scanner_.tensor_type();
  scanner_.expect("{");
  const std::int64_t count = element_count(type.shape);
  // Each element takes two characters at least, so this bounds what is allocated.
  if (count > static_cast<std::int64_t>(scanner_.remaining() / 2 + 1))
    scanner_.fail(
        fmt::format("{} has {} elements, the text that is left cannot hold them", type, count),
        start);
  HostTensor tensor(type);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    bool first = true;
    for (T& element : tensor.as<T>()) {
      if (!first) scanner_.expect(",");
      first = false;
      element = scanner_.element<T>();
    }
  });
  scanner_.expect("}");
  value = ConstantRef(std::move(tensor));
}

}  // namespace

Graph parse(std::string_view text) {
  Scanner scanner(text);
  Graph graph = GraphParser(scanner, 1).graph();
  if (!scanner.at_end()) scanner.fail_expected("the end of the text");
  return graph;
}

}  // namespace tenon::ir

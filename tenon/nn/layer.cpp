#include "tenon/nn/layer.h"

#include <algorithm>
#include <map>

#include "tenon/nn/activation.h"
#include "tenon/nn/part_visitor.h"
#include "tenon/tensor/build.h"

namespace tenon::nn {
namespace {

// Raised once a message names its layer, so that outer layers do not add theirs.
struct LocatedError : UserError {
  using UserError::UserError;
};

// The first two attributes: "units 10, activation relu".
class AttributeWriter final : public FieldVisitor {
 public:
  using FieldVisitor::operator();
  void operator()(std::string_view name, std::int64_t& value) override { put(name, value); }
  void operator()(std::string_view name, double& value) override { put(name, value); }
  void operator()(std::string_view name, bool& value) override {
    if (value) put(name, "true");
  }
  void operator()(std::string_view name, std::string& value) override { put(name, value); }
  void operator()(std::string_view name, std::vector<std::int64_t>& value) override {
    if (!value.empty()) put(name, tenon::to_string(value));
  }
  void operator()(std::string_view name, Activation& value) override { put(name, nn::name(value)); }
  void operator()(std::string_view, Initializer&) override {}
  void operator()(std::string_view, Variable&) override {}
  void operator()(std::string_view, Layer&) override {}
  void operator()(std::string_view, std::vector<Layer>&) override {}
  std::string text;

 private:
  template <class Value>
  void put(std::string_view name, const Value& value) {
    if (count_++ < 2) text += fmt::format(", {} {}", name, value);
  }
  int count_ = 0;
};

// ", written at FILE:LINE"; nothing for a layer that was read from a file.
std::string written_at(const SourceLocation& where) {
  return where.line == 0 ? "" : fmt::format(", written at {}", where.text());
}

// The place goes after the first line, which says what is wrong; shapes and help follow.
std::string with_place(std::string_view message, std::string_view place, const Tensor& x) {
  const std::size_t end = std::min(message.find('\n'), message.size());
  return fmt::format("{}\n  {}\n    input  {}{}", message.substr(0, end), place,
                     x.is_empty() ? "is an empty tensor" : x.description(), message.substr(end));
}

class VariableCollector final : public PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, Variable& variable) override {
    if (std::ranges::find(variables, variable) == variables.end()) variables.push_back(variable);
  }
  std::vector<Variable> variables;
};

// Gives each part a module of its own.
class PartReplacer final : public PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, Variable&) override {}
  void operator()(std::string_view, Layer& layer) override { layer = layer.clone(); }
  void operator()(std::string_view, std::vector<Layer>& layers) override {
    for (Layer& layer : layers) layer = layer.clone();
  }
};

// The Variable of each field, with repeats.
class VariableLister final : public PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, Variable& variable) override { variables.push_back(variable); }
  std::vector<Variable> variables;
};

// New Variables for listed ones; fields that shared one share the new one.
class VariableReplacer final : public PartVisitor {
 public:
  explicit VariableReplacer(std::vector<Variable> before) : before_(std::move(before)) {}
  using PartVisitor::operator();
  void operator()(std::string_view, Variable& variable) override {
    variable = fresh_[before_.at(next_++).id()];
  }

 private:
  std::vector<Variable> before_;
  std::size_t next_ = 0;
  std::map<std::uint64_t, Variable> fresh_;
};

}  // namespace

Tensor Layer::operator()(const Tensor& x, Context& context) const {
  const Context::Scope scope = context.scope(scope_kind(), x);
  try {
    if (module_->mixes_steps())
      context.require_whole_sequence(kind(), "it mixes the steps of a sequence");
    const Tensor result = module_->call(x, context);
    // A layer that returns its input (Dropout in inference) gives it no second name.
    const bool is_input = result.trace() == x.trace() && result.ir_value() == x.ir_value();
    if (!is_input) {
      mark_origin(result, x, {context.path(), where_.text()});
      result.named(context.path(), where_);
    }
    return result;
  } catch (const LocatedError&) {
    throw;
  } catch (const UserError& error) {
    throw LocatedError(with_place(
        error.what(),
        fmt::format("layer \"{}\" ({}){}", context.path(), description(), written_at(where_)), x));
  }
}

namespace {

// The outermost module: its errors name the model.
template <class F>
auto call_model(const Layer& model, const Tensor& x, F call) {
  try {
    return call();
  } catch (const LocatedError&) {
    throw;
  } catch (const UserError& error) {
    throw LocatedError(
        with_place(error.what(),
                   fmt::format("model ({}){}", model.description(), written_at(model.where())), x));
  }
}

}  // namespace

Tensor Layer::call_as_root(const Tensor& x, Context& context) const {
  return call_model(*this, x, [&] {
    const Tensor result = module_->call(x, context);
    mark_origin(result, x, {std::string(kind()), where_.text()});
    return result;
  });
}

Outcome Layer::learn(const Tensor& x, const Tensor& y, Context& context) const {
  return call_model(*this, x, [&] {
    const Outcome outcome = module_->learn(x, y, context);
    for (const Tensor& result : {outcome.prediction, outcome.loss.sum, outcome.loss.weight})
      mark_origin(result, x, {std::string(kind()), where_.text()});
    return outcome;
  });
}

std::string Layer::description() const {
  AttributeWriter writer;
  fields(writer);
  return fmt::format("{}{}", kind(), writer.text);
}

Layer Layer::clone() const {
  Layer copy = *this;
  copy.module_ = module_->copy();
  VariableLister lister;
  fields(lister);
  PartReplacer parts;
  copy.module_->fields(parts);
  VariableReplacer replacer(std::move(lister.variables));
  copy.module_->fields(replacer);
  return copy;
}

std::vector<Variable> variables_of(const Layer& layer) {
  VariableCollector collector;
  layer.fields(collector);
  return collector.variables;
}

}  // namespace tenon::nn

#include "tenon/nn/layer.h"

namespace tenon::nn {
namespace {

// Raised once a message names its layer, so that outer layers do not add theirs.
struct LocatedError : UserError {
  using UserError::UserError;
};

// Collects Variables and descends into parts; ignores attributes.
class PartVisitor : public FieldVisitor {
 public:
  using FieldVisitor::operator();
  void operator()(std::string_view, std::int64_t&) override {}
  void operator()(std::string_view, double&) override {}
  void operator()(std::string_view, bool&) override {}
  void operator()(std::string_view, std::string&) override {}
  void operator()(std::string_view, std::vector<std::int64_t>&) override {}
  void operator()(std::string_view, Activation&) override {}
  void operator()(std::string_view, Initializer&) override {}
  void operator()(std::string_view, Layer& layer) override { layer.fields(*this); }
  void operator()(std::string_view, std::vector<Layer>& layers) override {
    for (Layer& layer : layers) layer.fields(*this);
  }
};

class VariableCollector final : public PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, Variable& variable) override {
    if (std::ranges::find(variables, variable) == variables.end()) variables.push_back(variable);
  }
  std::vector<Variable> variables;
};

class VariableReplacer final : public PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, Variable& variable) override {
    auto [entry, is_new] = fresh_.try_emplace(variable.id());
    variable = entry->second;
  }
  void operator()(std::string_view, Layer& layer) override { layer = layer.clone(); }
  void operator()(std::string_view, std::vector<Layer>& layers) override {
    for (Layer& layer : layers) layer = layer.clone();
  }

 private:
  std::map<std::uint64_t, Variable> fresh_;
};

}  // namespace

Tensor Layer::operator()(const Tensor& x, Context& context) const {
  const Context::Scope scope = context.scope(kind());
  try {
    const Tensor result = module_->call(x, context);
    result.named(context.path(), where_);
    return result;
  } catch (const LocatedError&) {
    throw;
  } catch (const UserError& error) {
    throw LocatedError(fmt::format("{}\n  in layer \"{}\" ({}), written at {}, called with {}",
                                   error.what(), context.path(), kind(), where_.text(),
                                   x.is_empty() ? "an empty tensor" : to_string(x.type())));
  }
}

Layer Layer::clone() const {
  Layer copy = *this;
  copy.module_ = module_->copy();
  VariableReplacer replacer;
  copy.module_->fields(replacer);
  return copy;
}

std::vector<Variable> variables_of(const Layer& layer) {
  VariableCollector collector;
  layer.fields(collector);
  return collector.variables;
}

}  // namespace tenon::nn

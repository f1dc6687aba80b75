// Layer: any module that maps a tensor to a tensor, held by value.
#pragma once
#include <concepts>
#include <memory>
#include <typeinfo>

#include "tenon/nn/context.h"
#include "tenon/nn/field_visitor.h"

namespace tenon::nn {

// A module is a plain struct: attributes, Variables and other modules as fields, a call operator,
// and `fields` that shows them. kKind names it in paths, summaries and saved descriptions.
template <class M>
concept ModuleShape = requires(M module, const Tensor& x, Context& context, FieldVisitor& visitor) {
  { M::kKind } -> std::convertible_to<std::string_view>;
  { module(x, context) } -> std::same_as<Tensor>;
  module.fields(visitor);
};
// Copying is asked for last: of a class that takes a Layer, it would ask for this very concept.
template <class M>
concept Module = ModuleShape<M> && std::copy_constructible<M>;

// A module whose result at one step of a sequence (axis 1) depends on other steps says so by
// `static constexpr bool kMixesSteps = true`: it is refused where text is generated step by step.
template <class M>
constexpr bool mixes_steps() {
  if constexpr (requires { M::kMixesSteps; })
    return M::kMixesSteps;
  else
    return false;
}

// A module that knows its own loss, because that needs more than a prediction and a target: the
// outcome for inputs x with the targets y, in training and in evaluation.
template <class M>
concept LearningModule = requires(M module, const Tensor& x, const Tensor& y, Context& context) {
  { module.learn(x, y, context) } -> std::same_as<Outcome>;
};

// A module around one layer (Penalized) that leaves its names as they are: it has the layer's place
// in paths and is called with the layer's scope open. It has a loss of its own if the layer has
// one.
template <class M>
concept WrapperModule = requires(const M module) {
  { module.wrapped() } -> std::same_as<const Layer&>;
};

// Copies of a Layer share their weights (Variables have identity).
class Layer {
 public:
  template <class M>
  requires(!std::same_as<M, Layer>) && Module<M> Layer(M module, SourceLocation where =
                                                                     SourceLocation::current())
      : module_(std::make_shared<Model<M>>(std::move(module))),
  where_(where) {}

  // Calls the module in a scope of its own. A UserError raised inside is raised again with the
  // layer's path, kind and the place where it was written added, once, innermost first.
  Tensor operator()(const Tensor& x, Context& context) const;
  // Calls the module in the scope that is open, as the outermost module of a model is called: its
  // parts are then named from the top, "dense/kernel" and not "sequential/dense/kernel".
  Tensor call_as_root(const Tensor& x, Context& context) const;

  // Calls the module of a wrapped layer: the scope that is open is the layer's, and messages are
  // completed by who opened it.
  Tensor call_in_scope(const Tensor& x, Context& context) const {
    return module_->call(x, context);
  }
  Outcome learn_in_scope(const Tensor& x, const Tensor& y, Context& context) const {
    return module_->learn(x, y, context);
  }

  // Whether the module is a LearningModule; then `learn` calls it as the outermost one.
  bool has_own_loss() const { return module_->has_own_loss(); }
  Outcome learn(const Tensor& x, const Tensor& y, Context& context) const;

  std::string_view kind() const { return module_->kind(); }
  // The kind that names the layer's scope: that of the layer within a wrapper.
  std::string_view scope_kind() const { return module_->scope_kind(); }
  // Whether results at one step of a sequence depend on others (kMixesSteps).
  bool mixes_steps() const { return module_->mixes_steps(); }
  // The kind and the first attributes: "dense, units 10, activation relu".
  std::string description() const;
  void fields(FieldVisitor& visitor) const { module_->fields(visitor); }
  const SourceLocation& where() const { return where_; }
  // The module itself if it is an M, else nullptr.
  template <class M>
  M* get() const {
    auto* model = dynamic_cast<Model<M>*>(module_.get());
    return model == nullptr ? nullptr : &model->module;
  }
  // The same layer with weights of its own.
  Layer clone() const;

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual Tensor call(const Tensor& x, Context& context) = 0;
    virtual bool has_own_loss() const = 0;
    virtual bool mixes_steps() const = 0;
    virtual Outcome learn(const Tensor& x, const Tensor& y, Context& context) = 0;
    virtual void fields(FieldVisitor& visitor) = 0;
    virtual std::string_view kind() const = 0;
    virtual std::string_view scope_kind() const = 0;
    virtual std::shared_ptr<Interface> copy() const = 0;
  };
  template <class M>
  struct Model final : Interface {
    explicit Model(M m) : module(std::move(m)) {}
    Tensor call(const Tensor& x, Context& context) override { return module(x, context); }
    bool has_own_loss() const override {
      if constexpr (WrapperModule<M>)
        return module.wrapped().has_own_loss();
      else
        return LearningModule<M>;
    }
    bool mixes_steps() const override {
      if constexpr (WrapperModule<M>)
        return module.wrapped().mixes_steps();
      else
        return nn::mixes_steps<M>();
    }
    Outcome learn(const Tensor& x, const Tensor& y, Context& context) override {
      if constexpr (LearningModule<M>)
        return module.learn(x, y, context);
      else
        throw InternalError(fmt::format("a {} has no loss of its own", M::kKind));
    }
    void fields(FieldVisitor& visitor) override { module.fields(visitor); }
    std::string_view kind() const override { return M::kKind; }
    std::string_view scope_kind() const override {
      if constexpr (WrapperModule<M>)
        return module.wrapped().scope_kind();
      else
        return M::kKind;
    }
    std::shared_ptr<Interface> copy() const override { return std::make_shared<Model>(module); }
    M module;
  };
  std::shared_ptr<Interface> module_;
  SourceLocation where_;
};

// The same module with weights of its own.
template <Module M>
M clone(const M& module) {
  return *Layer(module).clone().get<M>();
}

// Every Variable of a layer, depth first in field order (defined or not).
std::vector<Variable> variables_of(const Layer& layer);

// A layer of this kind with default attributes, to be filled through `fields`: how a saved
// description becomes a model again. UserError listing the known kinds.
Layer make_layer(std::string_view kind);
// Every kind that make_layer knows.
std::span<const std::string_view> layer_kinds();

}  // namespace tenon::nn

// Optimizers: plain structs that turn a gradient into the next value of a weight.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tenon/tensor/tensor.h"

namespace tenon::optim {

// What an optimizer's rule may use while a step is traced.
class RuleContext {
 public:
  virtual ~RuleContext() = default;
  // Scalar state, f32, written by the host between steps.
  virtual Tensor learning_rate() = 0;
  // 1 at the first update; f32 scalar.
  virtual Tensor step() = 0;
  // A moment of the weight's type that starts at zero, named "<optimizer>/<weight path>/<name>".
  virtual Variable slot(const Variable& weight, std::string_view name) = 0;
};

class HyperparameterVisitor {
 public:
  virtual ~HyperparameterVisitor() = default;
  virtual void operator()(std::string_view name, float& value) = 0;
  virtual void operator()(std::string_view name, bool& value) = 0;
};

template <class R>
concept Rule = std::copy_constructible<R> &&
    requires(R rule, RuleContext& context, const Variable& weight, const Tensor& gradient,
             HyperparameterVisitor& visitor) {
  { R::kKind } -> std::convertible_to<std::string_view>;
  { rule.learning_rate } -> std::convertible_to<float>;
  // The new value of the weight and of its slots.
  { rule.update(context, weight, gradient) } -> std::same_as<std::vector<Update>>;
  rule.fields(visitor);
};

// Any optimizer, with the state it keeps. Copies share the state.
class Optimizer {
 public:
  template <class R>
  requires(!std::same_as<R, Optimizer>) && Rule<R> Optimizer(R rule)
      : Optimizer(std::make_shared<Model<R>>(std::move(rule))) {}

  // Gradients of the loss with respect to the trainable ones among `weights`, and their updates.
  std::vector<Update> minimize(const Tensor& loss, std::span<const Variable> weights) const;
  // Updates from gradients, one per weight, of the weight's type.
  std::vector<Update> apply(std::span<const Variable> weights,
                            std::span<const Tensor> gradients) const;

  std::string_view kind() const;
  void fields(HyperparameterVisitor& visitor) const;
  Variable learning_rate() const;
  Variable step() const;
  // Everything a checkpoint must keep: step, learning rate, slots in order of creation.
  std::vector<Variable> state() const;

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::vector<Update> update(RuleContext& context, const Variable& weight,
                                       const Tensor& gradient) = 0;
    virtual void fields(HyperparameterVisitor& visitor) = 0;
    virtual std::string_view kind() const = 0;
    virtual float learning_rate() const = 0;
  };
  template <class R>
  struct Model final : Interface {
    explicit Model(R r) : rule(std::move(r)) {}
    std::vector<Update> update(RuleContext& context, const Variable& weight,
                               const Tensor& gradient) override {
      return rule.update(context, weight, gradient);
    }
    void fields(HyperparameterVisitor& visitor) override { rule.fields(visitor); }
    std::string_view kind() const override { return R::kKind; }
    float learning_rate() const override { return rule.learning_rate; }
    R rule;
  };
  struct State;
  explicit Optimizer(std::shared_ptr<Interface> rule);
  std::shared_ptr<Interface> rule_;
  std::shared_ptr<State> state_;
};

// An optimizer of this kind with default hyperparameters; UserError listing the known kinds.
Optimizer make_optimizer(std::string_view kind);

}  // namespace tenon::optim

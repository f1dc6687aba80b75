// Optimizers: plain structs that turn a gradient into the next value of a weight.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tenon/optim/hyperparameter.h"
#include "tenon/optim/update_options.h"
#include "tenon/tensor/tensor.h"

namespace tenon::optim {

// What an optimizer's rule may use while the update of one weight is traced.
class RuleContext {
 public:
  virtual ~RuleContext() = default;
  // A scalar of the weight's element type: state "optimizer/<name>" (f64) that the host may write
  // between steps. The name is one that the rule's `fields` shows.
  virtual Tensor hyperparameter(std::string_view name) = 0;
  // 1 at the first update; a scalar of the weight's element type.
  virtual Tensor step() = 0;
  // The same in f64, for scalars that are computed from several: 1 - beta^step would lose digits.
  virtual Tensor exact_hyperparameter(std::string_view name) = 0;
  virtual Tensor exact_step() = 0;
  // State that starts at zero, named "optimizer/<weight path>/<name>": of the weight's type, or of
  // another one.
  virtual Variable slot(const Variable& weight, std::string_view name) = 0;
  virtual Variable slot(const Variable& weight, std::string_view name, const TensorType& type) = 0;
};

template <class R>
concept Rule = std::copy_constructible<R> &&
    requires(R rule, RuleContext& context, const Variable& weight, const Tensor& gradient,
             HyperparameterVisitor& visitor) {
  { R::kKind } -> std::convertible_to<std::string_view>;
  { rule.learning_rate } -> std::convertible_to<double>;
  // The new value of the weight and of its slots.
  { rule.update(context, weight, gradient) } -> std::same_as<std::vector<Update>>;
  rule.fields(visitor);
};

// Any optimizer, with the state it keeps. Copies share the state; a Trainer works on a clone.
class Optimizer {
 public:
  // Optimizer{Adam{}, {.clip_global_norm = 1}}. UserError for a number out of its range.
  template <class R>
  requires(!std::same_as<R, Optimizer>) && Rule<R> Optimizer(R rule, UpdateOptions options = {})
      : Optimizer(std::make_shared<Model<R>>(std::move(rule)), options) {}

  // Gradients of the loss with respect to the trainable ones among `weights`, and their updates.
  // `loss_weight` counts only if gradients accumulate: the weight (of samples, usually their
  // number) that the mean loss was divided by, a float scalar.
  std::vector<Update> minimize(const Tensor& loss, std::span<const Variable> weights,
                               const Tensor& loss_weight = 1.0) const;
  // Updates from gradients, one per weight, of the weight's type; if the loss is scaled
  // (options().loss_scale), from those of scaled(loss).
  std::vector<Update> apply(std::span<const Variable> weights, std::span<const Tensor> gradients,
                            const Tensor& loss_weight = 1.0) const;
  // The loss as it is to be differentiated for `apply`; the loss itself without a loss scale.
  Tensor scaled(const Tensor& loss) const;

  std::string_view kind() const;
  void fields(HyperparameterVisitor& visitor) const;
  // The scalar state of a hyperparameter, f64[]; UserError listing the known ones.
  Variable hyperparameter(std::string_view name) const;
  Variable learning_rate() const { return hyperparameter("learning_rate"); }
  Variable step() const;  // i64[], the number of updates made
  // f64[] and i64[]: the loss scale, and the number of updates left out because a gradient was
  // infinite or NaN. UserError if the loss is not scaled.
  Variable loss_scale() const;
  Variable skipped_steps() const;
  const UpdateOptions& options() const;
  // The moving average of a weight, by options().average_decay; UserError if there is none, or no
  // update of the weight was traced yet.
  Variable average(const Variable& weight) const;
  // Everything a checkpoint must keep: step, hyperparameters, slots in order of creation.
  std::vector<Variable> state() const;
  // The same hyperparameters, with state of its own.
  Optimizer clone() const;
  Optimizer clone(UpdateOptions options) const;  // and with these options

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::vector<Update> update(RuleContext& context, const Variable& weight,
                                       const Tensor& gradient) = 0;
    virtual void fields(HyperparameterVisitor& visitor) = 0;
    virtual std::string_view kind() const = 0;
    virtual std::shared_ptr<Interface> copy() const = 0;
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
    std::shared_ptr<Interface> copy() const override { return std::make_shared<Model>(rule); }
    R rule;
  };
  struct State;
  struct TracedRule;
  Optimizer(std::shared_ptr<Interface> rule, UpdateOptions options);
  std::shared_ptr<Interface> rule_;
  std::shared_ptr<State> state_;
};

// One of the rules that have a name.
struct OptimizerKind {
  std::string_view kind;
  Optimizer (*make)(UpdateOptions options);  // with default hyperparameters
};
// All of them, the usual ones first.
std::span<const OptimizerKind> optimizer_kinds();
// An optimizer of this kind with default hyperparameters; UserError listing the known kinds.
Optimizer make_optimizer(std::string_view kind, UpdateOptions options = {});

}  // namespace tenon::optim

#include "tenon/optim/optimizer.h"

#include "tenon/base/text.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {
namespace {

void require_learning_rate(float rate, std::string_view kind) {
  require(rate > 0 && std::isfinite(rate),
          "optimizer {}: learning_rate must be finite and above 0, got {}", kind, rate);
}

}  // namespace

struct Optimizer::State {
  Variable learning_rate;
  Variable step;
  std::map<std::pair<std::uint64_t, std::string>, Variable> slots;
  std::vector<Variable> slots_in_order;
};

Optimizer::Optimizer(std::shared_ptr<Interface> rule)
    : rule_(std::move(rule)), state_(std::make_shared<State>()) {
  require_learning_rate(rule_->learning_rate(), rule_->kind());
  const std::string prefix = "optimizer/";
  state_->learning_rate.define(prefix + "learning_rate", {DType::f32, {}}, VariableKind::scalar,
                               [rule = rule_](std::uint64_t) {  // `fields` may still change it
                                 require_learning_rate(rule->learning_rate(), rule->kind());
                                 return make_scalar(rule->learning_rate());
                               });
  state_->step.define(prefix + "step", {DType::f32, {}}, VariableKind::optimizer,
                      [](std::uint64_t) { return make_scalar(0.0f); });
}

std::string_view Optimizer::kind() const { return rule_->kind(); }
void Optimizer::fields(HyperparameterVisitor& visitor) const { rule_->fields(visitor); }
Variable Optimizer::learning_rate() const { return state_->learning_rate; }
Variable Optimizer::step() const { return state_->step; }

std::vector<Variable> Optimizer::state() const {
  std::vector<Variable> all{state_->step, state_->learning_rate};
  all.insert(all.end(), state_->slots_in_order.begin(), state_->slots_in_order.end());
  return all;
}

std::vector<Update> Optimizer::minimize(const Tensor& loss,
                                        std::span<const Variable> weights) const {
  std::vector<Variable> trainable;
  for (const Variable& weight : weights)
    if (weight.is_trainable()) trainable.push_back(weight);
  require(!trainable.empty(), "optimizer {}: there is no trainable weight to update", kind());
  return apply(trainable, grad(loss, trainable));
}

std::vector<Update> Optimizer::apply(std::span<const Variable> weights,
                                     std::span<const Tensor> gradients) const {
  require(weights.size() == gradients.size(), "optimizer {}: {} gradients for {} weights", kind(),
          gradients.size(), weights.size());
  struct TracedRule final : RuleContext {
    State& state;
    Tensor next_step;
    explicit TracedRule(State& s) : state(s), next_step(Tensor(s.step) + 1.0f) {}
    Tensor learning_rate() override { return Tensor(state.learning_rate); }
    Tensor step() override { return next_step; }
    Variable slot(const Variable& weight, std::string_view name) override {
      const auto [entry, is_new] =
          state.slots.try_emplace({weight.id(), std::string(name)}, Variable());
      if (is_new) {
        const TensorType type = weight.type();
        entry->second.define(fmt::format("optimizer/{}/{}", weight.name(), name), type,
                             VariableKind::optimizer,
                             [type](std::uint64_t) { return HostTensor(type); });
        state.slots_in_order.push_back(entry->second);
      }
      return entry->second;
    }
  };
  TracedRule context(*state_);
  std::vector<Update> updates;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    require(gradients[i].type() == weights[i].type(),
            "optimizer {}: the gradient of \"{}\" is {}, the weight {}", kind(), weights[i].name(),
            gradients[i].type(), weights[i].type());
    for (Update& update : rule_->update(context, weights[i], gradients[i]))
      updates.push_back(std::move(update));
  }
  updates.push_back(assign(state_->step, context.next_step));
  return updates;
}

Optimizer make_optimizer(std::string_view kind) {
  if (kind == Adam::kKind) return Adam{};
  if (kind == Sgd::kKind) return Sgd{};
  if (kind == GradientDescent::kKind) return GradientDescent{};
  const std::vector<std::string> known{std::string(Adam::kKind), std::string(Sgd::kKind),
                                       std::string(GradientDescent::kKind)};
  throw UserError(fmt::format("unknown optimizer {}; known: {}{}", in_quotes(kind),
                              join(known, ", "), did_you_mean(kind, known)));
}

}  // namespace tenon::optim

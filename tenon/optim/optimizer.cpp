#include "tenon/optim/optimizer.h"

#include "tenon/base/text.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {

bool contains(Range range, double value) {
  if (!std::isfinite(value)) return false;
  switch (range) {
    case Range::any: return true;
    case Range::positive: return value > 0;
    case Range::not_negative: return value >= 0;
    case Range::fraction: return value >= 0 && value < 1;
  }
  return false;
}

std::string_view description(Range range) {
  switch (range) {
    case Range::any: return "finite";
    case Range::positive: return "finite and above 0";
    case Range::not_negative: return "finite and 0 or more";
    case Range::fraction: return "in [0, 1)";
  }
  return "";
}

namespace {

class RangeCheck final : public HyperparameterVisitor {
 public:
  explicit RangeCheck(std::string_view kind) : kind_(kind) {}
  void operator()(std::string_view name, double& value, Range range) override {
    require(contains(range, value), "optimizer {}: {} must be {}, got {}", kind_, name,
            description(range), value);
  }
  void operator()(std::string_view, bool&) override {}

 private:
  std::string_view kind_;
};

class NumberReader final : public HyperparameterVisitor {
 public:
  std::vector<std::pair<std::string, double>> numbers;
  void operator()(std::string_view name, double& value, Range) override {
    numbers.emplace_back(name, value);
  }
  void operator()(std::string_view, bool&) override {}
};

}  // namespace

struct Optimizer::State {
  Variable step;
  std::vector<std::pair<std::string, Variable>> hyperparameters;
  std::map<std::pair<std::uint64_t, std::string>, Variable> slots;
  std::vector<Variable> slots_in_order;
};

Optimizer::Optimizer(std::shared_ptr<Interface> rule)
    : rule_(std::move(rule)), state_(std::make_shared<State>()) {
  RangeCheck check(rule_->kind());
  rule_->fields(check);
  NumberReader reader;
  rule_->fields(reader);
  for (std::size_t i = 0; i < reader.numbers.size(); ++i) {
    const std::string& name = reader.numbers[i].first;
    Variable variable;
    variable.define("optimizer/" + name, {DType::f64, {}}, VariableKind::scalar,
                    [rule = rule_, i](std::uint64_t) {  // `fields` may still change it
                      RangeCheck again(rule->kind());
                      rule->fields(again);
                      NumberReader now;
                      rule->fields(now);
                      return make_scalar(now.numbers[i].second);
                    });
    state_->hyperparameters.emplace_back(name, std::move(variable));
  }
  state_->step.define("optimizer/step", {DType::i64, {}}, VariableKind::optimizer,
                      [](std::uint64_t) { return make_scalar(std::int64_t{0}); });
}

std::string_view Optimizer::kind() const { return rule_->kind(); }
void Optimizer::fields(HyperparameterVisitor& visitor) const { rule_->fields(visitor); }
Variable Optimizer::step() const { return state_->step; }
Optimizer Optimizer::clone() const { return Optimizer(rule_->copy()); }

Variable Optimizer::hyperparameter(std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& [own, variable] : state_->hyperparameters) {
    if (own == name) return variable;
    known.push_back(own);
  }
  throw UserError(fmt::format("optimizer {} has no hyperparameter {}; known: {}{}", kind(),
                              in_quotes(name), join(known, ", "), did_you_mean(name, known)));
}

std::vector<Variable> Optimizer::state() const {
  std::vector<Variable> all{state_->step};
  for (const auto& [name, variable] : state_->hyperparameters) all.push_back(variable);
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
    const Optimizer& optimizer;
    State& state;
    Tensor next_step;
    DType dtype = DType::f32;
    explicit TracedRule(const Optimizer& o)
        : optimizer(o), state(*o.state_), next_step(Tensor(state.step) + 1) {}
    Tensor hyperparameter(std::string_view name) override {
      return cast(Tensor(optimizer.hyperparameter(name)), dtype);
    }
    Tensor step() override { return cast(next_step, dtype); }
    Variable slot(const Variable& weight, std::string_view name) override {
      return slot(weight, name, weight.type());
    }
    Variable slot(const Variable& weight, std::string_view name, const TensorType& type) override {
      const auto [entry, is_new] =
          state.slots.try_emplace({weight.id(), std::string(name)}, Variable());
      if (is_new) {
        entry->second.define(fmt::format("optimizer/{}/{}", weight.name(), name), type,
                             VariableKind::optimizer,
                             [type](std::uint64_t) { return HostTensor(type); });
        state.slots_in_order.push_back(entry->second);
      }
      return entry->second;
    }
  };
  TracedRule context(*this);
  std::vector<Update> updates;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    require(gradients[i].type() == weights[i].type(),
            "optimizer {}: the gradient of \"{}\" is {}, the weight {}", kind(), weights[i].name(),
            gradients[i].type(), weights[i].type());
    context.dtype = weights[i].type().dtype;
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

#include "tenon/optim/optimizer.h"

#include "tenon/base/text.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {

namespace {

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
  UpdateOptions options;
};

Optimizer::Optimizer(std::shared_ptr<Interface> rule, UpdateOptions options)
    : rule_(std::move(rule)), state_(std::make_shared<State>()) {
  const std::string owner = fmt::format("optimizer {}", rule_->kind());
  RangeCheck check(owner);
  rule_->fields(check);
  options.fields(check);
  state_->options = options;
  NumberReader reader;
  rule_->fields(reader);
  for (std::size_t i = 0; i < reader.numbers.size(); ++i) {
    const std::string& name = reader.numbers[i].first;
    Variable variable;
    variable.define("optimizer/" + name, {DType::f64, {}}, VariableKind::scalar,
                    [rule = rule_, i](std::uint64_t) {  // `fields` may still change it
                      const std::string now_owner = fmt::format("optimizer {}", rule->kind());
                      RangeCheck again(now_owner);
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
Optimizer Optimizer::clone() const { return Optimizer(rule_->copy(), state_->options); }
const UpdateOptions& Optimizer::options() const { return state_->options; }

Variable Optimizer::average(const Variable& weight) const {
  require(state_->options.average_decay > 0,
          "optimizer {} keeps no averages of weights; set UpdateOptions::average_decay", kind());
  const auto found = state_->slots.find({weight.id(), std::string(kAverageSlot)});
  require(found != state_->slots.end(), "optimizer {}: no update of \"{}\" was traced yet", kind(),
          weight.name());
  return found->second;
}

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

// Defines what a rule asks for while the update of one weight after the other is traced.
struct Optimizer::TracedRule final : RuleContext {
  const Optimizer& optimizer;
  State& state;
  Tensor next_step;
  DType dtype = DType::f32;
  bool is_decayed = true;

  explicit TracedRule(const Optimizer& o)
      : optimizer(o), state(*o.state_), next_step(Tensor(state.step) + 1) {}
  void begin(const Variable& weight) {
    dtype = weight.type().dtype;
    is_decayed = !state.options.decay_matrices_only || weight.type().rank() >= 2;
  }
  Tensor exact_hyperparameter(std::string_view name) override {
    const Variable variable = optimizer.hyperparameter(name);
    if (name == "weight_decay" && !is_decayed) return full({}, 0, DType::f64);
    return Tensor(variable);
  }
  Tensor hyperparameter(std::string_view name) override {
    return cast(exact_hyperparameter(name), dtype);
  }
  Tensor exact_step() override { return cast(next_step, DType::f64); }
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
  // The average begins as what the first update gives.
  Update average(const Variable& weight, const Tensor& next) {
    const Variable slot_of_average = slot(weight, kAverageSlot);
    const double decay = state.options.average_decay;
    const Tensor moved = lerp(next, Tensor(slot_of_average), decay);
    return assign(slot_of_average, where(next_step == 1, next, moved));
  }
};

std::vector<Update> Optimizer::apply(std::span<const Variable> weights,
                                     std::span<const Tensor> gradients) const {
  require(weights.size() == gradients.size(), "optimizer {}: {} gradients for {} weights", kind(),
          gradients.size(), weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    require(gradients[i].type() == weights[i].type(),
            "optimizer {}: the gradient of \"{}\" is {}, the weight {}", kind(), weights[i].name(),
            gradients[i].type(), weights[i].type());
  const std::vector<Tensor> clipped = clip_gradients(gradients, state_->options);
  TracedRule context(*this);
  std::vector<Update> updates;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    context.begin(weights[i]);
    const std::vector<Update> own = rule_->update(context, weights[i], clipped[i]);
    updates.insert(updates.end(), own.begin(), own.end());
    if (state_->options.average_decay == 0) continue;
    for (const Update& update : own)
      if (update.variable == weights[i])
        updates.push_back(context.average(weights[i], update.value));
  }
  updates.push_back(assign(state_->step, context.next_step));
  return updates;
}

}  // namespace tenon::optim

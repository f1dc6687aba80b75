#include "tenon/optim/optimizer.h"

#include "tenon/base/text.h"
#include "tenon/optim/accumulation.h"
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
  void operator()(std::string_view, std::int64_t&, std::int64_t) override {}
  void operator()(std::string_view, TextList&) override {}
};

}  // namespace

struct Optimizer::State {
  explicit State(const UpdateOptions& o)
      : accumulation(o.accumulate_steps), loss_scale(o.loss_scale), options(o) {}
  Variable step;
  std::vector<std::pair<std::string, Variable>> hyperparameters;
  std::map<std::pair<std::uint64_t, std::string>, Variable> slots;
  std::vector<Variable> slots_in_order;
  Accumulation accumulation;
  LossScale loss_scale;
  UpdateOptions options;
};

Optimizer::Optimizer(std::shared_ptr<Interface> rule, UpdateOptions options)
    : rule_(std::move(rule)) {
  const std::string owner = fmt::format("optimizer {}", rule_->kind());
  RangeCheck check(owner);
  rule_->fields(check);
  options.fields(check);
  state_ = std::make_shared<State>(options);
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
Optimizer Optimizer::clone() const { return clone(state_->options); }
Optimizer Optimizer::clone(UpdateOptions options) const {
  return Optimizer(rule_->copy(), std::move(options));
}
const UpdateOptions& Optimizer::options() const { return state_->options; }

Variable Optimizer::average(const Variable& weight) const {
  require(state_->options.average_decay > 0,
          "optimizer {} keeps no averages of weights; set UpdateOptions::average_decay", kind());
  const auto found = state_->slots.find({weight.id(), std::string(kAverageSlot)});
  require(found != state_->slots.end(), "optimizer {}: no update of \"{}\" was traced yet", kind(),
          weight.name());
  return found->second;
}

Variable Optimizer::loss_scale() const {
  require(state_->loss_scale.is_on(),
          "optimizer {} does not scale the loss; set UpdateOptions::loss_scale", kind());
  return state_->loss_scale.scale();
}

Variable Optimizer::skipped_steps() const {
  require(state_->loss_scale.is_on(), "optimizer {} skips no steps; set UpdateOptions::loss_scale",
          kind());
  return state_->loss_scale.skipped_steps();
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
  for (const Variable& variable : state_->accumulation.state()) all.push_back(variable);
  for (const Variable& variable : state_->loss_scale.state()) all.push_back(variable);
  all.insert(all.end(), state_->slots_in_order.begin(), state_->slots_in_order.end());
  return all;
}

Tensor Optimizer::scaled(const Tensor& loss) const { return state_->loss_scale.scaled(loss); }

std::vector<Update> Optimizer::minimize(const Tensor& loss, std::span<const Variable> weights,
                                        const Tensor& loss_weight) const {
  std::vector<Variable> trainable;
  for (const Variable& weight : weights)
    if (weight.is_trainable()) trainable.push_back(weight);
  require(!trainable.empty(), "optimizer {}: there is no trainable weight to update", kind());
  // Names of frozen weights count: what is frozen may change while the options stay.
  require_patterns_match(state_->options, weights, fmt::format("optimizer {}", kind()));
  return apply(trainable, grad(scaled(loss), trainable), loss_weight);
}

// Defines what a rule asks for while the update of one weight after the other is traced.
struct Optimizer::TracedRule final : RuleContext {
  const Optimizer& optimizer;
  State& state;
  Tensor next_step;
  DType dtype = DType::f32;
  double factor = 1;  // of the learning rate
  bool has_decay = true;

  explicit TracedRule(const Optimizer& o)
      : optimizer(o), state(*o.state_), next_step(Tensor(state.step) + 1) {}
  void begin(const Variable& weight) {
    dtype = weight.type().dtype;
    factor = rate_factor(state.options, weight.name());
    has_decay = is_decayed(state.options, weight);
  }
  Tensor exact_hyperparameter(std::string_view name) override {
    const Variable variable = optimizer.hyperparameter(name);
    if (name == "weight_decay" && !has_decay) return full({}, 0, DType::f64);
    if (name == "learning_rate" && factor != 1) return Tensor(variable) * factor;
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
  // Replaces the rule's next value of a weight by what the options make of it; adds what they keep.
  void finish(Update& update, std::vector<Update>& kept) {
    const Variable& weight = update.variable;
    const UpdateOptions& options = state.options;
    Tensor next = update.value, slow, is_sync;
    if (options.lookahead_steps > 0) {
      // The slow copy begins as the weight before the first update.
      slow = where(next_step == 1, Tensor(weight), Tensor(slot(weight, kSlowSlot)));
      is_sync = remainder(next_step, constant(make_scalar(options.lookahead_steps))) == 0;
      next = where(is_sync, lerp(slow, next, options.lookahead_alpha), next);
    }
    next = constrained(next, options, weight.name());
    if (options.lookahead_steps > 0)
      kept.push_back(assign(slot(weight, kSlowSlot), where(is_sync, next, slow)));
    if (options.average_decay > 0) kept.push_back(average(weight, next));
    update = assign(weight, next);
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
                                     std::span<const Tensor> gradients,
                                     const Tensor& loss_weight) const {
  require(weights.size() == gradients.size(), "optimizer {}: {} gradients for {} weights", kind(),
          gradients.size(), weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    require(gradients[i].type() == weights[i].type(),
            "optimizer {}: the gradient of \"{}\" is {}, the weight {}", kind(), weights[i].name(),
            gradients[i].type(), weights[i].type());
  TracedRule context(*this);
  std::vector<Tensor> ready = state_->loss_scale.unscaled(gradients);
  std::vector<Update> of_helpers;  // what changes whether or not the weights do
  Tensor is_applied;               // empty: always
  if (state_->accumulation.is_on()) {
    std::vector<Variable> sums;
    for (const Variable& weight : weights) sums.push_back(context.slot(weight, kSumSlot));
    Accumulation::Result summed = state_->accumulation.add(ready, loss_weight, sums);
    ready = std::move(summed.gradients);
    is_applied = summed.is_due;
    of_helpers = std::move(summed.updates);
  }
  if (state_->loss_scale.is_on()) {
    const Tensor is_due = is_applied.is_empty() ? Tensor(true) : is_applied;
    const Tensor is_finite = are_finite(ready);
    for (Update& update : state_->loss_scale.next(is_due, is_finite))
      of_helpers.push_back(std::move(update));
    is_applied = logical_and(is_due, is_finite);
  }
  const std::vector<Tensor> clipped = clip_gradients(ready, state_->options);
  std::vector<Update> updates;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    context.begin(weights[i]);
    std::vector<Update> own = rule_->update(context, weights[i], clipped[i]);
    std::vector<Update> kept;
    for (Update& update : own)
      if (update.variable == weights[i]) context.finish(update, kept);
    updates.insert(updates.end(), own.begin(), own.end());
    updates.insert(updates.end(), kept.begin(), kept.end());
  }
  updates.push_back(assign(state_->step, context.next_step));
  if (!is_applied.is_empty()) updates = only_if(is_applied, updates);
  updates.insert(updates.end(), of_helpers.begin(), of_helpers.end());
  return updates;
}

}  // namespace tenon::optim

#include "tenon/tensor/variable.h"

#include <atomic>

namespace tenon {

struct Variable::State {
  std::uint64_t id = 0;
  bool is_defined = false;
  bool is_trainable = true;
  std::string name;
  TensorType type;
  VariableKind kind = VariableKind::weight;
  Initialize initialize;
};

Variable::Variable() : state_(std::make_shared<State>()) {
  static std::atomic<std::uint64_t> next_id{1};
  state_->id = next_id++;
}

Variable::Variable(HostTensor initial, std::string name, VariableKind kind) : Variable() {
  auto shared = std::make_shared<const HostTensor>(std::move(initial));
  define(std::move(name), shared->type(), kind, [shared](std::uint64_t) { return *shared; });
}

bool Variable::is_defined() const { return state_->is_defined; }

void Variable::define(std::string name, TensorType type, VariableKind kind,
                      Initialize initialize) const {
  require(!state_->is_defined || state_->type == type,
          "variable \"{}\" was defined as {}, now {} is asked for", state_->name, state_->type,
          type);
  if (state_->is_defined) return;
  *state_ = {state_->id,      true, state_->is_trainable, std::move(name),
             std::move(type), kind, std::move(initialize)};
}

void Variable::require_defined() const {
  require(
      state_->is_defined,
      "a variable is used before it is defined\n  help: a layer defines its variables when the "
      "model first sees an input: run or compile a step with it, or call Trainer::build, "
      "before; a variable of your own is given its initial value: Variable w(make_scalar(0.0f), "
      "\"w\")");
}

const std::string& Variable::name() const { return state_->name; }
const TensorType& Variable::type() const {
  require_defined();
  return state_->type;
}
VariableKind Variable::kind() const { return state_->kind; }
bool Variable::is_trainable() const {
  return state_->is_trainable && state_->kind == VariableKind::weight;
}
void Variable::set_trainable(bool trainable) const { state_->is_trainable = trainable; }
std::uint64_t Variable::id() const { return state_->id; }

HostTensor Variable::initial_value(std::uint64_t seed) const {
  require_defined();
  check(static_cast<bool>(state_->initialize), "variable \"{}\" has no initializer", state_->name);
  HostTensor value = state_->initialize(seed);
  require(value.type() == state_->type, "variable \"{}\": its initializer made {}, expected {}",
          state_->name, value.type(), state_->type);
  return value;
}

}  // namespace tenon

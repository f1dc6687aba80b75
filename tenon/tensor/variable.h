// Named state that lives across steps: weights, moments, counters, keys, running statistics.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "tenon/base/host_tensor.h"

namespace tenon {

// What a variable is for: decides how checkpoints, optimizers and data parallelism treat it.
enum class VariableKind : std::uint8_t {
  weight,     // trained by optimizers
  statistic,  // updated by the forward pass (running mean), saved with the model
  optimizer,  // moments and counters of an optimizer
  scalar,     // written by the host between steps (learning rate), never a constant
  key,        // random state
};

// A handle with identity: copies name the same state. The data lives in a Session, which asks for
// the initial value when it first meets the variable.
class Variable {
 public:
  // The initial value from the session's seed.
  using Initialize = std::function<HostTensor(std::uint64_t seed)>;

  // An identity without a type yet; a layer defines it at its first trace.
  Variable();
  // Defined at once, with a fixed initial value.
  explicit Variable(HostTensor initial, std::string name = "variable",
                    VariableKind kind = VariableKind::weight);

  bool is_defined() const;
  // Sets name, type, kind and initializer; UserError if already defined with another type.
  void define(std::string name, TensorType type, VariableKind kind, Initialize initialize) const;

  const std::string& name() const;  // path, "encoder/dense_1/kernel"
  const TensorType& type() const;   // UserError before define()
  const Shape& shape() const { return type().shape; }
  VariableKind kind() const;
  // A frozen weight is left alone by optimizers.
  bool is_trainable() const;
  void set_trainable(bool trainable) const;
  HostTensor initial_value(std::uint64_t seed) const;  // UserError before define()

  // Equal identities, unique over the life of the process.
  std::uint64_t id() const;
  bool operator==(const Variable& other) const { return state_ == other.state_; }

 private:
  void require_defined() const;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tenon

// Decoding: what layers remember between the steps of a sequence that is made piece by piece.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "tenon/tensor/tensor.h"

namespace tenon::nn {

// One object serves any number of traces of one model, each for inputs of another number of steps:
// begin(), a Context that decodes with it, the model, updates(). Layers find what they remember by
// the path of their scopes, so all traces and steps share it.
class Decoding {
 public:
  // `length`: how many steps layers that keep every step (attention) have room for. UserError
  // unless it is from 1 to 2^24.
  explicit Decoding(std::int64_t length);
  std::int64_t length() const { return length_; }

  // Begins a trace of a step whose input starts at this position of its sequences; an i32 scalar.
  // The caller sees to it that position and input fit into length().
  void begin(const Tensor& position);
  const Tensor& position() const { return position_; }

  // State of this name and type, zeros before the first step. Each call of a trace gives another
  // one: the calls must come in one order. UserError if it was of another type before.
  Variable remembered(const std::string& name, const TensorType& type);
  // Its value in the next step.
  void remember(const Variable& state, const Tensor& value);
  // Remembers rows [..., steps, ...] of every step along `axis`, those of the input at its
  // position; all of them, [..., length, ...]. What stands after the input's last step is not
  // meant to be read. UserError if the input has more than length() steps.
  Tensor append(const std::string& name, const Tensor& rows, std::int64_t axis);

  // Says that no sequence is longer than length(), as append does.
  void bound() { is_bounded_ = true; }
  bool is_bounded() const { return is_bounded_; }
  // What the step of this trace must update.
  const std::vector<Update>& updates() const { return updates_; }
  // All state; zeros in each begin new sequences.
  std::vector<Variable> state() const;

 private:
  std::int64_t length_;
  Tensor position_;
  std::map<std::string, Variable, std::less<>> states_;
  std::map<std::string, int, std::less<>> asked_;  // in this trace
  std::vector<Update> updates_;
  bool is_bounded_ = false;
};

}  // namespace tenon::nn

// Adagrad: Duchi, Hazan, Singer, "Adaptive subgradient methods", 2011, as PyTorch.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// s += g^2, from initial_accumulator on;
// w -= learning_rate / (1 + (t - 1) * learning_rate_decay) * g / (sqrt(s) + epsilon).
struct Adagrad {
  static constexpr std::string_view kKind = "adagrad";
  double learning_rate = 1e-2;
  double learning_rate_decay = 0;
  double initial_accumulator = 0;
  double epsilon = 1e-10;
  double weight_decay = 0;  // added to the gradient: weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("learning_rate_decay", learning_rate_decay, Range::not_negative);
    visit("initial_accumulator", initial_accumulator, Range::not_negative);
    visit("epsilon", epsilon, Range::not_negative);
    visit("weight_decay", weight_decay, Range::not_negative);
  }
};

}  // namespace tenon::optim

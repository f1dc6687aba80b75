// Lion: Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// w -= learning_rate * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * w);
// m = beta2 * m + (1 - beta2) * g.
struct Lion {
  static constexpr std::string_view kKind = "lion";
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;  // decoupled: w -= learning_rate * weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("beta1", beta1, Range::fraction);
    visit("beta2", beta2, Range::fraction);
    visit("weight_decay", weight_decay, Range::not_negative);
  }
};

}  // namespace tenon::optim

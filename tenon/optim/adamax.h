// Adamax: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, section 7.1, as PyTorch.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// m = beta1 * m + (1 - beta1) * g; u = max(beta2 * u, |g| + epsilon);
// w -= learning_rate / (1 - beta1^t) * m / u.
struct Adamax {
  static constexpr std::string_view kKind = "adamax";
  double learning_rate = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  // added to the gradient: weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("beta1", beta1, Range::fraction);
    visit("beta2", beta2, Range::fraction);
    visit("epsilon", epsilon, Range::not_negative);
    visit("weight_decay", weight_decay, Range::not_negative);
  }
};

}  // namespace tenon::optim

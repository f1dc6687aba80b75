// NAdam: Dozat, "Incorporating Nesterov momentum into Adam", 2016, as PyTorch.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2); m and v as Adam's;
// w -= learning_rate * ((1 - mu_t) / (1 - mu_1...mu_t) * g + mu_t+1 / (1 - mu_1...mu_t+1) * m)
//      / (sqrt(v_hat) + epsilon).
struct NAdam {
  static constexpr std::string_view kKind = "nadam";
  double learning_rate = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum_decay = 4e-3;
  double weight_decay = 0;  // added to the gradient: weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("beta1", beta1, Range::fraction);
    visit("beta2", beta2, Range::fraction);
    visit("epsilon", epsilon, Range::not_negative);
    visit("momentum_decay", momentum_decay, Range::not_negative);
    visit("weight_decay", weight_decay, Range::not_negative);
  }
};

}  // namespace tenon::optim

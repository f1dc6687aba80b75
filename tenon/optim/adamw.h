// AdamW: Loshchilov, Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// Adam with PyTorch's weight decay.
struct AdamW {
  static constexpr std::string_view kKind = "adamw";
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;       // added to sqrt(v_hat), after bias correction
  double weight_decay = 0.01;  // decoupled: w -= learning_rate * weight_decay * w

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

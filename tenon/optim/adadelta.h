// Adadelta: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1, as PyTorch.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// s = rho * s + (1 - rho) * g^2; change = sqrt(d + epsilon) / sqrt(s + epsilon) * g;
// d = rho * d + (1 - rho) * change^2; w -= learning_rate * change.
struct Adadelta {
  static constexpr std::string_view kKind = "adadelta";
  double learning_rate = 1;
  double rho = 0.9;
  double epsilon = 1e-6;
  double weight_decay = 0;  // added to the gradient: weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("rho", rho, Range::fraction);
    visit("epsilon", epsilon, Range::not_negative);
    visit("weight_decay", weight_decay, Range::not_negative);
  }
};

}  // namespace tenon::optim

// RMSprop: Tieleman, Hinton, "Lecture 6.5: rmsprop", 2012; centered: Graves 2013; as PyTorch.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// s = rho * s + (1 - rho) * g^2, with centered less the square of the average of g;
// velocity = momentum * velocity + g / (sqrt(s) + epsilon); w -= learning_rate * velocity.
struct RmsProp {
  static constexpr std::string_view kKind = "rmsprop";
  double learning_rate = 1e-2;
  double rho = 0.99;  // PyTorch's alpha
  double epsilon = 1e-8;
  double momentum = 0;
  double weight_decay = 0;  // added to the gradient: weight_decay * w
  bool centered = false;

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("rho", rho, Range::fraction);
    visit("epsilon", epsilon, Range::not_negative);
    visit("momentum", momentum, Range::fraction);
    visit("weight_decay", weight_decay, Range::not_negative);
    visit("centered", centered);
  }
};

}  // namespace tenon::optim

// Gradient descent, plain and with momentum.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// w -= learning_rate * g.
struct GradientDescent {
  static constexpr std::string_view kKind = "gradient_descent";
  double learning_rate = 1e-2;
  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
  }
};

// velocity = momentum * velocity + g; w -= learning_rate * velocity; with nesterov
// w -= learning_rate * (g + momentum * velocity). Sutskever et al. 2013, as PyTorch's SGD.
// weight_decay adds weight_decay * w to g.
struct Sgd {
  static constexpr std::string_view kKind = "sgd";
  double learning_rate = 1e-2;
  double momentum = 0.9;
  double weight_decay = 0;
  bool nesterov = false;
  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("momentum", momentum, Range::fraction);
    visit("weight_decay", weight_decay, Range::not_negative);
    visit("nesterov", nesterov);
  }
};

}  // namespace tenon::optim

// Adam: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

struct Adam {
  static constexpr std::string_view kKind = "adam";
  float learning_rate = 1e-3f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;      // added to sqrt(v_hat), after bias correction
  float weight_decay = 0.0f;  // decoupled (AdamW): w -= learning_rate * weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate);
    visit("beta1", beta1);
    visit("beta2", beta2);
    visit("epsilon", epsilon);
    visit("weight_decay", weight_decay);
  }
};

}  // namespace tenon::optim

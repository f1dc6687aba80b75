// LAMB: You et al., "Large batch optimization for deep learning", 2020, algorithm 2, as optax.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// u = m_hat / (sqrt(v_hat) + epsilon) + weight_decay * w, with Adam's moments;
// w -= learning_rate * |w| / |u| * u, with Euclidean norms over the weight; where one is 0, their
// ratio counts as 1.
struct Lamb {
  static constexpr std::string_view kKind = "lamb";
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 0;  // scaled by the ratio of norms too

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

// Muon: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// Matrices: velocity = momentum * velocity + (1 - momentum) * g; the Nesterov look-ahead of it is
// made nearly orthogonal by five Newton-Schulz steps and scaled by 0.2 * sqrt(max(rows, columns)),
// so that AdamW's learning rates fit (Liu et al. 2025, "Muon is scalable for LLM training");
// w -= learning_rate * (that + weight_decay * w). Weights of more axes are matrices of their last
// axis by all others, as kernels of convolutions are. Those of fewer are updated by AdamW.
struct Muon {
  static constexpr std::string_view kKind = "muon";
  double learning_rate = 1e-3;
  double momentum = 0.95;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;      // of AdamW, as the betas
  double weight_decay = 0.1;  // decoupled: w -= learning_rate * weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("momentum", momentum, Range::fraction);
    visit("beta1", beta1, Range::fraction);
    visit("beta2", beta2, Range::fraction);
    visit("epsilon", epsilon, Range::not_negative);
    visit("weight_decay", weight_decay, Range::not_negative);
  }
};

}  // namespace tenon::optim

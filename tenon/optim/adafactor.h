// Adafactor: Shazeer, Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018,
// algorithms 4 and 5, as PyTorch.
#pragma once
#include "tenon/optim/optimizer.h"

namespace tenon::optim {

// Of matrices (the last two axes) only sums over rows and columns of g^2 are kept:
// r and c move by t^-decay_exponent towards the means of g^2 over columns and rows;
// v = r * c / max(mean(r), epsilon); others keep v itself. u = g / sqrt(max(v, epsilon^2));
// w -= max(scale_floor, rms(w)) * min(learning_rate, 1 / sqrt(t)) * u / max(1, rms(u) / threshold).
struct Adafactor {
  static constexpr std::string_view kKind = "adafactor";
  double learning_rate = 1e-2;
  double decay_exponent = 0.8;
  double epsilon = 1e-7;  // PyTorch: 1.2e-7 in f32, 2.2e-16 in f64
  double scale_floor = 1e-3;
  double threshold = 1;     // of the root mean square of u
  double weight_decay = 0;  // decoupled: w -= learning_rate * weight_decay * w

  std::vector<Update> update(RuleContext& context, const Variable& weight, const Tensor& gradient);
  void fields(HyperparameterVisitor& visit) {
    visit("learning_rate", learning_rate, Range::positive);
    visit("decay_exponent", decay_exponent, Range::not_negative);
    visit("epsilon", epsilon, Range::not_negative);
    visit("scale_floor", scale_floor, Range::not_negative);
    visit("threshold", threshold, Range::positive);
    visit("weight_decay", weight_decay, Range::not_negative);
  }
};

}  // namespace tenon::optim

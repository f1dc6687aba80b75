// Variational: draws a code from a learned normal distribution and adds its divergence to the loss.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// x [..., 2 * width] is a mean and a logarithm of a variance for each of `width` numbers: in
// training mean + noise * exp(log variance / 2) * e with e standard normal ("reparameterisation"),
// otherwise the mean. Adds weight * KL(N(mean, variance) || N(0, 1)), summed over the code and
// averaged over the batch, to the loss: -1/2 (1 + log variance - mean^2 - variance) for each
// number. Kingma, Welling 2014, "Auto-Encoding Variational Bayes", appendix B.
struct Variational {
  static constexpr std::string_view kKind = "variational";
  double weight = 1;  // of the divergence; beta of Higgins et al. 2017
  double noise = 1;   // 0: the mean in training too, so that nothing is drawn
  // UserError unless x is a float [batch, ..., even number].
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("weight", weight);
    visit("noise", noise);
  }
};

}  // namespace tenon::nn

// Fully connected layer.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// activation(x kernel + bias) over the last axis: x [..., in] -> [..., units].
// kernel [in, units], bias [units].
struct Dense {
  static constexpr std::string_view kKind = "dense";
  std::int64_t units = 1;
  Activation activation = Activation::linear;
  bool use_bias = true;
  Initializer kernel_initializer = glorot_uniform;
  Initializer bias_initializer = zeros;
  Variable kernel{};
  Variable bias{};

  // UserError for an integer or boolean x, or one of rank below 2.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("units", units);
    visit("activation", activation);
    visit("use_bias", use_bias);
    visit("kernel_initializer", kernel_initializer);
    visit("bias_initializer", bias_initializer);
    visit("kernel", kernel);
    visit("bias", bias);
  }
};

}  // namespace tenon::nn

// Layers without weights: Flatten, Reshape, ActivationLayer, Dropout.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// [batch, ...] -> [batch, features].
struct Flatten {
  static constexpr std::string_view kKind = "flatten";
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor&) {}
};

// [batch, ...] -> [batch, shape...]; one extent may be -1.
struct Reshape {
  static constexpr std::string_view kKind = "reshape";
  std::vector<std::int64_t> shape;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("shape", shape); }
};

struct ActivationLayer {
  static constexpr std::string_view kKind = "activation";
  Activation activation = Activation::relu;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("activation", activation); }
};

// In training zeroes each element with probability `rate` and scales the rest by 1 / (1 - rate);
// otherwise the identity. Srivastava et al. 2014.
struct Dropout {
  static constexpr std::string_view kKind = "dropout";
  double rate = 0.5;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("rate", rate); }
};

}  // namespace tenon::nn

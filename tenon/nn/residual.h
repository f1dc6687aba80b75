// Residual: a shortcut around a body of layers.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/sequential.h"

namespace tenon::nn {

// activation(projection(x) + body(x)); without a projection x itself is added. He et al. 2016.
struct Residual {
  static constexpr std::string_view kKind = "residual";
  Layer body = Sequential{};
  Layer projection = Sequential{};  // an empty Sequential returns x
  Activation activation = Activation::linear;

  // UserError unless body and shortcut have one type.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("body", body);
    visit("projection", projection);
    visit("activation", activation);
  }
};

}  // namespace tenon::nn

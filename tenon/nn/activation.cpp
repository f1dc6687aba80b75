#include "tenon/nn/activation.h"

#include "tenon/nn/unknown_name.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr std::array<std::string_view, 12> kActivationNames = {
    "linear", "relu",    "leaky_relu", "elu",     "gelu",        "gelu_tanh",
    "silu",   "sigmoid", "tanh",       "softmax", "log_softmax", "softplus"};

}  // namespace

Tensor apply(Activation activation, const Tensor& x) {
  switch (activation) {
    case Activation::linear: return x;
    case Activation::relu: return tenon::relu(x);
    case Activation::leaky_relu: return tenon::leaky_relu(x);
    case Activation::elu: return tenon::elu(x);
    case Activation::gelu: return tenon::gelu(x);
    case Activation::gelu_tanh: return tenon::gelu_tanh(x);
    case Activation::silu: return tenon::silu(x);
    case Activation::sigmoid: return tenon::sigmoid(x);
    case Activation::tanh: return tenon::tanh(x);
    case Activation::softmax: return tenon::softmax(x);
    case Activation::log_softmax: return tenon::log_softmax(x);
    case Activation::softplus: return tenon::softplus(x);
  }
  return x;
}

std::string_view name(Activation activation) {
  return kActivationNames[static_cast<std::size_t>(activation)];
}

Activation parse_activation(std::string_view text) {
  for (std::size_t i = 0; i < kActivationNames.size(); ++i)
    if (kActivationNames[i] == text) return static_cast<Activation>(i);
  throw_unknown("activation", text, kActivationNames);
}

}  // namespace tenon::nn

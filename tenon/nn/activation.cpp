#include "tenon/nn/activation.h"

#include "tenon/base/unknown_name.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr std::array<std::string_view, 18> kActivationNames = {
    "linear", "relu",    "leaky_relu", "elu",         "gelu",         "gelu_tanh",
    "silu",   "sigmoid", "tanh",       "softmax",     "log_softmax",  "softplus",
    "relu6",  "selu",    "mish",       "log_sigmoid", "hard_sigmoid", "hard_swish"};

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
    case Activation::relu6: return tenon::relu6(x);
    case Activation::selu: return tenon::selu(x);
    case Activation::mish: return tenon::mish(x);
    case Activation::log_sigmoid: return tenon::log_sigmoid(x);
    case Activation::hard_sigmoid: return tenon::hard_sigmoid(x);
    case Activation::hard_swish: return tenon::hard_swish(x);
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

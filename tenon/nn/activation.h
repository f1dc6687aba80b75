// Activation functions by name, as layers take them: Dense{128, nn::relu}.
#pragma once
#include "tenon/tensor/tensor.h"

namespace tenon::nn {

enum class Activation : std::uint8_t {
  linear,
  relu,
  leaky_relu,
  elu,
  gelu,
  gelu_tanh,
  silu,
  sigmoid,
  tanh,
  softmax,
  log_softmax,
  softplus,
  relu6,
  selu,
  mish,
  log_sigmoid,
  hard_sigmoid,
  hard_swish
};

inline constexpr Activation linear = Activation::linear;
inline constexpr Activation relu = Activation::relu;
inline constexpr Activation leaky_relu = Activation::leaky_relu;  // slope 0.01 below zero
inline constexpr Activation elu = Activation::elu;
inline constexpr Activation gelu = Activation::gelu;
inline constexpr Activation gelu_tanh = Activation::gelu_tanh;
inline constexpr Activation silu = Activation::silu;
inline constexpr Activation sigmoid = Activation::sigmoid;
inline constexpr Activation tanh = Activation::tanh;
inline constexpr Activation softmax = Activation::softmax;  // along the last axis
inline constexpr Activation log_softmax = Activation::log_softmax;
inline constexpr Activation softplus = Activation::softplus;
inline constexpr Activation relu6 = Activation::relu6;
inline constexpr Activation selu = Activation::selu;
inline constexpr Activation mish = Activation::mish;
inline constexpr Activation log_sigmoid = Activation::log_sigmoid;
inline constexpr Activation hard_sigmoid = Activation::hard_sigmoid;  // clip((x + 3) / 6, 0, 1)
inline constexpr Activation hard_swish = Activation::hard_swish;

Tensor apply(Activation activation, const Tensor& x);
std::string_view name(Activation activation);
// UserError listing the known names.
Activation parse_activation(std::string_view name);

}  // namespace tenon::nn

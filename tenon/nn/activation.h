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
  softplus
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

Tensor apply(Activation activation, const Tensor& x);
std::string_view name(Activation activation);
// UserError listing the known names.
Activation parse_activation(std::string_view name);

}  // namespace tenon::nn

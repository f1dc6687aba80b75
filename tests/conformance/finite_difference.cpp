#include "finite_difference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tenon/autodiff/grad.h"
#include "tenon/base/threefry.h"
#include "tenon/ir/interpret.h"

namespace tenon::conformance {
using namespace ir;
namespace {

constexpr double kStep = 1e-3;
constexpr std::int64_t kSampledElements = 64;

// Values in [-1, 1] that stay away from zero.
HostTensor random_weights(const TensorType& type, std::uint32_t seed) {
  check(type.dtype == DType::f64, "finite differences need f64, got {}", type);
  HostTensor tensor(type);
  auto elements = tensor.as<double>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::uint32_t word = random_word(seed, 3, i);
    const double magnitude = 0.25 + 0.75 * ((word >> 1) / 2147483648.0);
    elements[i] = word & 1 ? -magnitude : magnitude;
  }
  return tensor;
}

// sum_i cotangent_i * (output_i at x + step - output_i at x - step), summed difference by
// difference so that unaffected outputs cancel exactly.
double weighted_difference(const Graph& graph, std::span<const HostTensor> above,
                           std::span<const HostTensor> below,
                           std::span<const HostTensor> cotangents) {
  const HostTensors upper = interpret(graph, above);
  const HostTensors lower = interpret(graph, below);
  double sum = 0;
  std::size_t next = 0;
  for (std::size_t k = 0; k < upper.size(); ++k) {
    if (!is_float(upper[k].dtype())) continue;
    const auto weights = cotangents[next++].as<double>();
    const auto high = upper[k].as<double>();
    const auto low = lower[k].as<double>();
    for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * (high[i] - low[i]);
  }
  return sum;
}

// Derivative along a direction (one tensor per input; empty where the input stays), by
// (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h. Abramowitz and Stegun 25.3.6.
double numeric_derivative(const Graph& graph, const HostTensors& inputs,
                          const HostTensors& direction, const HostTensors& cotangents) {
  const auto moved = [&](double step) {
    HostTensors result = inputs;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (direction[k].size() == 0) continue;
      auto elements = result[k].as<double>();
      const auto slope = direction[k].as<double>();
      for (std::size_t i = 0; i < elements.size(); ++i) elements[i] += step * slope[i];
    }
    return result;
  };
  const auto difference = [&](double step) {
    return weighted_difference(graph, moved(step), moved(-step), cotangents);
  };
  return (8 * difference(kStep) - difference(2 * kStep)) / (12 * kStep);
}

void note_error(GradientCheck& worst, double derived, double numeric, const std::string& where) {
  double error =
      std::abs(derived - numeric) / std::max({std::abs(derived), std::abs(numeric), 1e-3});
  if (!std::isfinite(derived) || !std::isfinite(numeric))
    error = std::numeric_limits<double>::infinity();
  if (error <= worst.error) return;
  worst.error = error;
  worst.where = fmt::format("{}: derivative {}, finite difference {}", where, derived, numeric);
}

}  // namespace

GradientCheck check_gradient(const Graph& graph, std::span<const HostTensor> given,
                             std::uint64_t seed) {
  const VectorJacobian derivative = autodiff::differentiate(graph);
  const HostTensors inputs(given.begin(), given.end());
  HostTensors cotangents;
  auto salt = static_cast<std::uint32_t>(seed) * 1000;
  for (const TensorType& type : output_types(graph))
    if (is_float(type.dtype)) cotangents.push_back(random_weights(type, ++salt));
  HostTensors all = inputs;
  all.insert(all.end(), cotangents.begin(), cotangents.end());
  const HostTensors gradients = interpret(*derivative.graph, all);

  GradientCheck worst;
  const HostTensors still(inputs.size());
  HostTensors everywhere = still;
  double derived_everywhere = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!derivative.gradient_output[k]) continue;
    const auto gradient = gradients[*derivative.gradient_output[k]].as<double>();
    everywhere[k] = random_weights(inputs[k].type(), ++salt);
    const auto slope = everywhere[k].as<double>();
    for (std::size_t i = 0; i < gradient.size(); ++i) derived_everywhere += gradient[i] * slope[i];

    const std::int64_t count = inputs[k].size();
    const std::int64_t stride = count / kSampledElements + 1;
    for (std::int64_t i = 0; i < count; i += stride) {
      HostTensors direction = still;
      direction[k] = HostTensor(inputs[k].type());
      direction[k].as<double>()[static_cast<std::size_t>(i)] = 1;
      note_error(worst, gradient[static_cast<std::size_t>(i)],
                 numeric_derivative(graph, inputs, direction, cotangents),
                 fmt::format("input {}, element {}", k, i));
    }
  }
  note_error(worst, derived_everywhere, numeric_derivative(graph, inputs, everywhere, cotangents),
             "a random direction");
  return worst;
}

GradientCheck check_second_gradient(const Graph& graph, std::span<const HostTensor> given,
                                    std::uint64_t seed) {
  const VectorJacobian derivative = autodiff::differentiate(graph);
  HostTensors inputs(given.begin(), given.end());
  auto salt = static_cast<std::uint32_t>(seed) * 1000 + 500;
  for (const TensorType& type : output_types(graph))
    if (is_float(type.dtype)) inputs.push_back(random_weights(type, ++salt));
  return check_gradient(*derivative.graph, inputs, seed);
}

}  // namespace tenon::conformance

#include "tenon/nn/initializer.h"

#include <numbers>

#include "tenon/base/hash.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"
#include "tenon/nn/unknown_name.h"

namespace tenon::nn {
namespace {

constexpr std::array<std::string_view, 9> kInitializerNames = {
    "zeros",          "ones",          "constant",   "uniform",  "normal",
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal"};

struct Fans {
  double in = 1, out = 1;
};

Fans fans_of(const Shape& shape) {
  if (shape.empty()) return {};
  if (shape.size() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double field = 1;
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) field *= static_cast<double>(shape[i]);
  return {field * static_cast<double>(shape[shape.size() - 2]),
          field * static_cast<double>(shape.back())};
}

}  // namespace

HostTensor Initializer::operator()(const TensorType& type, std::uint64_t seed,
                                   std::string_view path) const {
  require(std::isfinite(scale) && (scale >= 0 || kind == InitializerKind::constant),
          "initializer {}: scale must be finite and not negative, got {}", name(kind), scale);
  const Fans fans = fans_of(type.shape);
  double limit = 0, deviation = 0;
  switch (kind) {
    case InitializerKind::zeros: return HostTensor(type);
    case InitializerKind::ones: return filled(type, 1);
    case InitializerKind::constant: return filled(type, scale);
    case InitializerKind::uniform: limit = scale; break;
    case InitializerKind::normal: deviation = scale; break;
    case InitializerKind::glorot_uniform: limit = std::sqrt(6 / (fans.in + fans.out)); break;
    case InitializerKind::glorot_normal: deviation = std::sqrt(2 / (fans.in + fans.out)); break;
    case InitializerKind::he_uniform: limit = std::sqrt(6 / fans.in); break;
    case InitializerKind::he_normal: deviation = std::sqrt(2 / fans.in); break;
  }
  const std::uint64_t key = hash_text(path, seed);
  const auto unit = [&](std::uint64_t i) {
    return random_word(static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key), i) *
           0x1p-32;
  };
  HostTensor tensor(type);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    auto elements = tensor.as<T>();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      // Box, Muller 1958; 1 - u is never zero.
      const double value = limit > 0 ? limit * (2 * unit(i) - 1)
                                     : deviation * std::sqrt(-2 * std::log(1 - unit(2 * i))) *
                                           std::cos(2 * std::numbers::pi * unit(2 * i + 1));
      elements[i] = convert_element<T>(value);
    }
  });
  return tensor;
}

std::string_view name(InitializerKind kind) {
  return kInitializerNames[static_cast<std::size_t>(kind)];
}

InitializerKind parse_initializer_kind(std::string_view text) {
  for (std::size_t i = 0; i < kInitializerNames.size(); ++i)
    if (kInitializerNames[i] == text) return static_cast<InitializerKind>(i);
  throw_unknown("initializer", text, kInitializerNames);
}

}  // namespace tenon::nn

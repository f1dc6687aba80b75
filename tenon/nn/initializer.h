// Initial values of weights.
#pragma once
#include "tenon/tensor/variable.h"

namespace tenon::nn {

enum class InitializerKind : std::uint8_t {
  zeros,
  ones,
  constant,
  uniform,         // [-scale, scale)
  normal,          // deviation `scale`
  glorot_uniform,  // Glorot, Bengio 2010: limit sqrt(6 / (fan_in + fan_out))
  glorot_normal,   // deviation sqrt(2 / (fan_in + fan_out))
  he_uniform,      // He et al. 2015: limit sqrt(6 / fan_in)
  he_normal,       // deviation sqrt(2 / fan_in)
};

// fan_in and fan_out of a kernel [..., in, out]: the leading axes are the receptive field.
struct Initializer {
  InitializerKind kind = InitializerKind::glorot_uniform;
  double scale = 1;  // the constant, limit or deviation of the first five kinds
  // Depends on the seed and the path alone: the same on every device and thread count.
  HostTensor operator()(const TensorType& type, std::uint64_t seed, std::string_view path) const;
  bool operator==(const Initializer&) const = default;
};

std::string_view name(InitializerKind kind);
// UserError listing the known names.
InitializerKind parse_initializer_kind(std::string_view name);

inline const Initializer zeros{InitializerKind::zeros};
inline const Initializer ones{InitializerKind::ones};
inline const Initializer glorot_uniform{InitializerKind::glorot_uniform};
inline const Initializer glorot_normal{InitializerKind::glorot_normal};
inline const Initializer he_uniform{InitializerKind::he_uniform};
inline const Initializer he_normal{InitializerKind::he_normal};

}  // namespace tenon::nn

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
  lecun_uniform,   // LeCun et al. 1998: limit sqrt(3 / fan_in)
  lecun_normal,    // deviation sqrt(1 / fan_in)
  // normal of deviation `scale`, drawn again while beyond 2 deviations
  truncated_normal,
  // Saxe et al. 2014: the matrix [all axes but the last, last] has orthogonal columns of length
  // `scale`, or rows if it is wider than high
  orthogonal,
  // `scale` where in = out (for kernels of convolutions: in the middle of the window), else 0
  identity,
  // Keras' VarianceScaling: variance scale / fan_in, scale / fan_out or scale / their mean, so that
  // fan_in_normal of scale 2 is he_normal and fan_out_normal of scale 2 PyTorch's kaiming_normal_
  // with mode="fan_out". The truncated ones keep the variance; they are what Keras calls normal.
  fan_in_uniform,
  fan_in_normal,
  fan_in_truncated_normal,
  fan_out_uniform,
  fan_out_normal,
  fan_out_truncated_normal,
  fan_average_uniform,
  fan_average_normal,
  fan_average_truncated_normal,
  unit_forget_bias,  // of LSTM: 1 in the second quarter, else 0. Jozefowicz et al. 2015
};

// fan_in and fan_out of a kernel [..., in, out]: the leading axes are the receptive field.
struct Initializer {
  InitializerKind kind = InitializerKind::glorot_uniform;
  // The constant, limit, deviation or gain of the kinds that say so.
  double scale = 1;
  // Depends on the seed and the path alone: the same on every device and thread count.
  // UserError for a scale or shape that the kind cannot have.
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
inline const Initializer lecun_uniform{InitializerKind::lecun_uniform};
inline const Initializer lecun_normal{InitializerKind::lecun_normal};
inline const Initializer orthogonal{InitializerKind::orthogonal};
inline const Initializer identity{InitializerKind::identity};
inline const Initializer unit_forget_bias{InitializerKind::unit_forget_bias};

}  // namespace tenon::nn

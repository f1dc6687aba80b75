#include "tenon/nn/initializer.h"

#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "tenon/base/hash.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"
#include "tenon/base/unknown_name.h"

namespace tenon::nn {
namespace {

constexpr std::array<std::string_view, 24> kInitializerNames = {"zeros",
                                                                "ones",
                                                                "constant",
                                                                "uniform",
                                                                "normal",
                                                                "glorot_uniform",
                                                                "glorot_normal",
                                                                "he_uniform",
                                                                "he_normal",
                                                                "lecun_uniform",
                                                                "lecun_normal",
                                                                "truncated_normal",
                                                                "orthogonal",
                                                                "identity",
                                                                "fan_in_uniform",
                                                                "fan_in_normal",
                                                                "fan_in_truncated_normal",
                                                                "fan_out_uniform",
                                                                "fan_out_normal",
                                                                "fan_out_truncated_normal",
                                                                "fan_average_uniform",
                                                                "fan_average_normal",
                                                                "fan_average_truncated_normal",
                                                                "unit_forget_bias"};

// The deviation of a standard normal that is cut at 2 deviations.
constexpr double kTruncatedDeviation = 0.87962566103423978;

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

// Numbers of one weight, by position: independent of the order in which they are asked for.
class InitialNumbers {
 public:
  InitialNumbers(std::uint64_t seed, std::string_view path) : key_(hash_text(path, seed)) {}

  // In [0, 1).
  double unit(std::uint64_t i) const {
    return random_word(static_cast<std::uint32_t>(key_ >> 32), static_cast<std::uint32_t>(key_),
                       i) *
           0x1p-32;
  }
  // Standard normal. Box, Muller 1958; 1 - u is never zero.
  double normal(std::uint64_t i) const {
    return std::sqrt(-2 * std::log(1 - unit(2 * i))) *
           std::cos(2 * std::numbers::pi * unit(2 * i + 1));
  }
  // The first of the normal numbers i, i + count, ... within 2 deviations.
  double truncated_normal(std::uint64_t i, std::uint64_t count) const {
    double value = normal(i);
    while (std::abs(value) > 2) value = normal(i += count);
    return value;
  }

 private:
  std::uint64_t key_;
};

HostTensor filled_by(const TensorType& type, const std::function<double(std::uint64_t)>& value) {
  HostTensor tensor(type);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    auto elements = tensor.as<T>();
    for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = convert_element<T>(value(i));
  });
  return tensor;
}

struct MatrixShape {
  std::size_t rows = 1, columns = 1;
};

// [all axes but the last, last].
MatrixShape matrix_shape(const TensorType& type, InitializerKind kind) {
  require(type.rank() >= 2, "initializer {}: expected a weight of two or more axes, got {}",
          name(kind), type);
  const auto columns = static_cast<std::size_t>(type.shape.back());
  const auto size = static_cast<std::size_t>(element_count(type.shape));
  return {columns == 0 ? 0 : size / columns, columns};
}

double product_of(std::span<const double> x, std::span<const double> y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

// Orthonormal vectors by Gram and Schmidt, each reduced twice ("twice is enough", Giraud et al.
// 2005): the Q of a normal matrix whose R has a positive diagonal, so uniformly distributed.
std::vector<double> orthonormal(std::size_t count, std::size_t length,
                                const InitialNumbers& numbers) {
  std::vector<double> all(count * length);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = numbers.normal(i);
  for (std::size_t i = 0; i < count; ++i) {
    const std::span<double> vector(&all[i * length], length);
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t j = 0; j < i; ++j) {
        const std::span<const double> earlier(&all[j * length], length);
        const double part = product_of(vector, earlier);
        for (std::size_t k = 0; k < length; ++k) vector[k] -= part * earlier[k];
      }
    const double size = std::sqrt(product_of(vector, vector));
    for (double& element : vector) element /= size;
  }
  return all;
}

HostTensor orthogonal_tensor(const TensorType& type, double scale, const InitialNumbers& numbers) {
  const auto [rows, columns] = matrix_shape(type, InitializerKind::orthogonal);
  const bool is_high = rows >= columns;
  const std::size_t length = is_high ? rows : columns;
  const std::vector<double> vectors = orthonormal(is_high ? columns : rows, length, numbers);
  const std::size_t width = columns;  // clang 14 captures no structured bindings
  return filled_by(type, [&](std::uint64_t i) {
    const std::size_t row = i / width, column = i % width;
    return scale * (is_high ? vectors[column * length + row] : vectors[row * length + column]);
  });
}

HostTensor identity_tensor(const TensorType& type, double scale) {
  matrix_shape(type, InitializerKind::identity);
  return filled_by(type, [&](std::uint64_t i) {
    const auto take_index = [&](std::int64_t extent) {
      const std::uint64_t index = i % static_cast<std::uint64_t>(extent);
      i /= static_cast<std::uint64_t>(extent);
      return index;
    };
    bool is_one = take_index(type.shape.back()) == take_index(type.shape[type.shape.size() - 2]);
    for (std::size_t axis = type.shape.size() - 2; axis-- > 0;)
      is_one &= take_index(type.shape[axis]) == static_cast<std::uint64_t>(type.shape[axis] / 2);
    return is_one ? scale : 0.0;
  });
}

}  // namespace

HostTensor Initializer::operator()(const TensorType& type, std::uint64_t seed,
                                   std::string_view path) const {
  require(std::isfinite(scale) && (scale >= 0 || kind == InitializerKind::constant),
          "initializer {}: scale must be finite and not negative, got {}", name(kind), scale);
  const Fans fans = fans_of(type.shape);
  const InitialNumbers numbers(seed, path);
  const auto uniform = [&](double limit) {
    return filled_by(type, [&](std::uint64_t i) { return limit * (2 * numbers.unit(i) - 1); });
  };
  const auto normal = [&](double deviation) {
    return filled_by(type, [&](std::uint64_t i) { return deviation * numbers.normal(i); });
  };
  const auto count = static_cast<std::uint64_t>(element_count(type.shape));
  const auto truncated = [&](double deviation) {
    return filled_by(
        type, [&](std::uint64_t i) { return deviation * numbers.truncated_normal(i, count); });
  };
  const double fan_average = (fans.in + fans.out) / 2;
  const auto deviation = [&](double fan) { return std::sqrt(scale / fan); };
  switch (kind) {
    case InitializerKind::zeros: return HostTensor(type);
    case InitializerKind::ones: return filled(type, 1);
    case InitializerKind::constant: return filled(type, scale);
    case InitializerKind::uniform: return uniform(scale);
    case InitializerKind::normal: return normal(scale);
    case InitializerKind::glorot_uniform: return uniform(std::sqrt(6 / (fans.in + fans.out)));
    case InitializerKind::glorot_normal: return normal(std::sqrt(2 / (fans.in + fans.out)));
    case InitializerKind::he_uniform: return uniform(std::sqrt(6 / fans.in));
    case InitializerKind::he_normal: return normal(std::sqrt(2 / fans.in));
    case InitializerKind::lecun_uniform: return uniform(std::sqrt(3 / fans.in));
    case InitializerKind::lecun_normal: return normal(std::sqrt(1 / fans.in));
    case InitializerKind::truncated_normal: return truncated(scale);
    case InitializerKind::fan_in_uniform: return uniform(std::sqrt(3) * deviation(fans.in));
    case InitializerKind::fan_in_normal: return normal(deviation(fans.in));
    case InitializerKind::fan_in_truncated_normal:
      return truncated(deviation(fans.in) / kTruncatedDeviation);
    case InitializerKind::fan_out_uniform: return uniform(std::sqrt(3) * deviation(fans.out));
    case InitializerKind::fan_out_normal: return normal(deviation(fans.out));
    case InitializerKind::fan_out_truncated_normal:
      return truncated(deviation(fans.out) / kTruncatedDeviation);
    case InitializerKind::fan_average_uniform:
      return uniform(std::sqrt(3) * deviation(fan_average));
    case InitializerKind::fan_average_normal: return normal(deviation(fan_average));
    case InitializerKind::fan_average_truncated_normal:
      return truncated(deviation(fan_average) / kTruncatedDeviation);
    case InitializerKind::orthogonal: return orthogonal_tensor(type, scale, numbers);
    case InitializerKind::identity: return identity_tensor(type, scale);
    case InitializerKind::unit_forget_bias:
      return filled_by(type, [&](std::uint64_t i) { return i >= count / 4 && i < count / 2; });
  }
  return HostTensor(type);
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

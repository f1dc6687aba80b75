// Float16 and BFloat16: 16-bit words that convert to and from f32, rounding to nearest even.
#pragma once
#include <bit>
#include <cstdint>

namespace tenon {

// IEEE 754 binary16 bits of the f32 nearest to value (ties to even; overflow gives infinity).
constexpr std::uint16_t f16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {  // subnormal result: adding 0.5 aligns and rounds in hardware
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

constexpr float f16_to_float(std::uint16_t word) {
  const std::uint32_t sign = (word & 0x8000u) << 16;
  const std::uint32_t magnitude = word & 0x7fffu;
  if (magnitude >= 0x7c00u)
    return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude < 0x0400u) {  // subnormal: magnitude * 2^-24, exact
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000u));
}

// bfloat16 bits of the f32 (ties to even).
constexpr std::uint16_t bf16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

constexpr float bf16_to_float(std::uint16_t word) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(word) << 16);
}

struct Float16 {
  std::uint16_t bits = 0;
  Float16() = default;
  constexpr explicit Float16(float value) : bits(f16_bits(value)) {}
  constexpr explicit operator float() const { return f16_to_float(bits); }
  bool operator==(const Float16&) const = default;  // compares bits
};

struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  constexpr explicit BFloat16(float value) : bits(bf16_bits(value)) {}
  constexpr explicit operator float() const { return bf16_to_float(bits); }
  bool operator==(const BFloat16&) const = default;  // compares bits
};

}  // namespace tenon

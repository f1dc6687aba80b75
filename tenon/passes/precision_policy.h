// Which element type a step computes in.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tenon::passes {

// bf16 and fp16 are mixed: products of matrices and convolutions take narrow operands, what follows
// them stays narrow, and the rest, all state included, is f32 (docs/precision.md).
enum class PrecisionPolicy : std::uint8_t { f32, bf16, fp16 };
constexpr auto enum_names(PrecisionPolicy) {
  return std::to_array<std::string_view>({"f32", "bf16", "fp16"});
}
constexpr std::string_view name(PrecisionPolicy policy) {
  return enum_names(policy)[static_cast<std::size_t>(policy)];
}
constexpr std::optional<PrecisionPolicy> parse_precision(std::string_view text) {
  constexpr auto kNames = enum_names(PrecisionPolicy{});
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (text == kNames[i]) return static_cast<PrecisionPolicy>(i);
  return std::nullopt;
}

}  // namespace tenon::passes

// Which element type a step computes in.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace tenon::passes {

// bf16 and fp16 are mixed: products of matrices and convolutions take narrow operands, what follows
// them stays narrow, and the rest, all state included, is f32 (docs/precision.md).
enum class PrecisionPolicy : std::uint8_t { f32, bf16, fp16 };
constexpr auto enum_names(PrecisionPolicy) {
  return std::to_array<std::string_view>({"f32", "bf16", "fp16"});
}

}  // namespace tenon::passes

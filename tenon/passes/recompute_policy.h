// What a training step computes again in its backward pass instead of keeping it.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tenon::passes {

// Values of the forward pass that the backward pass reads are kept (none), or computed again from
// others that are kept: all but products, convolutions, loops and sums (cheap), or all within
// segments of the forward pass (full), as in Chen et al. 2016, "Training deep nets with sublinear
// memory cost". `automatic` takes the first of these that fits a limit of memory. The bits of the
// step are the same whichever it is (docs/memory.md).
enum class RecomputePolicy : std::uint8_t { none, cheap, full, automatic };
constexpr auto enum_names(RecomputePolicy) {
  return std::to_array<std::string_view>({"none", "cheap", "full", "auto"});
}
constexpr std::string_view name(RecomputePolicy policy) {
  return enum_names(policy)[static_cast<std::size_t>(policy)];
}
constexpr std::optional<RecomputePolicy> parse_recompute(std::string_view text) {
  constexpr auto kNames = enum_names(RecomputePolicy{});
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (text == kNames[i]) return static_cast<RecomputePolicy>(i);
  return std::nullopt;
}

}  // namespace tenon::passes

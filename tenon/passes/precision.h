// Mixed precision: which ops of an f32 graph compute in bf16 or fp16.
#pragma once
#include <cstdint>
#include <vector>

#include "tenon/passes/pass.h"

namespace tenon::passes {

// What becomes of an op on f32 values under a narrow policy.
enum class PrecisionRole : std::uint8_t {
  narrow,  // takes narrow operands and accumulates in f32: products of matrices, convolutions
  follow,  // narrow where what it takes is narrow, and something narrow reads it
  wide,    // f32
};
constexpr auto enum_names(PrecisionRole) {
  return std::to_array<std::string_view>({"narrow", "follow", "wide"});
}
// The written list, and why an op stands where it does: docs/precision.md.
PrecisionRole precision_role(const ir::Op& op);

// The graph (of a whole step: forward, backward, updates) under the policy in `context`: the same
// signature, f32 casts where narrow values meet wide ones, each value cast once. Attention and
// CustomGradient become their definitions; carried values of loops keep their types. The graph
// itself for f32. UserError for a product of f64.
ir::Graph mixed_precision(const ir::Graph& graph, const PassContext& context);
// For processors without narrow arithmetic (context.widens_products): products of narrow floats
// take f32 copies of their operands, made once. The bits are the same where sums are f32 either
// way.
ir::Graph widen_products(const ir::Graph& graph, const PassContext& context);
// mixed_precision alone, for the driver: it runs before every backend's own passes.
std::span<const Pass> precision_passes();

}  // namespace tenon::passes

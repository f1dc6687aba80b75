#include <cmath>

#include "tenon/passes/passes.h"

namespace tenon::passes {
using namespace ir;
namespace {

bool pads_nothing_along(const Pad& op, std::int64_t axis) {
  const auto i = static_cast<std::size_t>(axis);
  return op.low[i] == 0 && op.high[i] == 0 && op.interior[i] == 0;
}

// Zeros around the images of a convolution become padding of its own. Not a rule of simplify: zero
// times a weight that is infinite or no number is no number, and padding may be left out of the
// sum.
Replacement merge_pad(const Match& m) {
  const auto* op = std::get_if<Convolution>(&m.op);
  if (op == nullptr) return std::nullopt;
  const auto pad = producer<Pad>(m.builder, m.operands[0]);
  if (!pad) return std::nullopt;
  const auto value = splat_value(m.builder, pad->operands[1]);
  if (!value || *value != 0 || std::signbit(*value)) return std::nullopt;
  if (!pads_nothing_along(pad->op, op->input_batch) ||
      !pads_nothing_along(pad->op, op->input_feature))
    return std::nullopt;
  Convolution merged = *op;
  for (std::size_t i = 0; i < op->input_spatial.size(); ++i) {
    const auto axis = static_cast<std::size_t>(op->input_spatial[i]);
    if (pad->op.interior[axis] != 0 || op->base_dilation[i] != 1) return std::nullopt;
    if (pad->op.low[axis] < 0 || pad->op.high[axis] < 0) return std::nullopt;
    merged.low[i] += pad->op.low[axis];
    merged.high[i] += pad->op.high[axis];
  }
  return replace_with(m.builder.add(std::move(merged), {pad->operands[0], m.operands[1]}));
}

}  // namespace

Graph merge_padding(const Graph& graph, const PassContext&) {
  static constexpr Rule kRules[] = {{"merge_pad", merge_pad}};
  return rewrite(graph, kRules);
}

}  // namespace tenon::passes

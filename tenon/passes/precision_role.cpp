// The written list of mixed precision; docs/precision.md says why.
#include "tenon/passes/precision.h"

namespace tenon::passes {
using namespace ir;
namespace {

constexpr PrecisionRole kNarrow = PrecisionRole::narrow;
constexpr PrecisionRole kFollow = PrecisionRole::follow;
constexpr PrecisionRole kWide = PrecisionRole::wide;

// Picking one of several values is exact in any type; adding them up is not.
PrecisionRole role_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::sum:
    case ReduceKind::product: return kWide;
    case ReduceKind::min:
    case ReduceKind::max:
    case ReduceKind::all:
    case ReduceKind::any:
    case ReduceKind::argmin:
    case ReduceKind::argmax: return kFollow;
  }
  return kWide;
}

PrecisionRole role_of(ScalarFunction function) {
  switch (function) {
    case ScalarFunction::negate:
    case ScalarFunction::abs:
    case ScalarFunction::sign:
    case ScalarFunction::floor:
    case ScalarFunction::ceil:
    case ScalarFunction::round_nearest_even:
    case ScalarFunction::is_finite:
    case ScalarFunction::add:
    case ScalarFunction::subtract:
    case ScalarFunction::multiply:
    case ScalarFunction::minimum:
    case ScalarFunction::maximum:
    case ScalarFunction::equal:
    case ScalarFunction::not_equal:
    case ScalarFunction::less:
    case ScalarFunction::less_equal:
    case ScalarFunction::greater:
    case ScalarFunction::greater_equal: return kFollow;
    case ScalarFunction::exp:
    case ScalarFunction::expm1:
    case ScalarFunction::log:
    case ScalarFunction::log1p:
    case ScalarFunction::sqrt:
    case ScalarFunction::rsqrt:
    case ScalarFunction::cbrt:
    case ScalarFunction::sin:
    case ScalarFunction::cos:
    case ScalarFunction::tan:
    case ScalarFunction::tanh:
    case ScalarFunction::logistic:
    case ScalarFunction::erf:
    case ScalarFunction::divide:
    case ScalarFunction::remainder:
    case ScalarFunction::power:
    case ScalarFunction::atan2: return kWide;
    // Of integers and truth values, which no policy concerns.
    case ScalarFunction::logical_not:
    case ScalarFunction::population_count:
    case ScalarFunction::logical_and:
    case ScalarFunction::logical_or:
    case ScalarFunction::logical_xor:
    case ScalarFunction::shift_left:
    case ScalarFunction::shift_right_logical:
    case ScalarFunction::shift_right_arithmetic: return kWide;
  }
  return kWide;
}

// Overlapping windows add several values up.
bool windows_overlap(const Window& window) {
  for (std::size_t i = 0; i < window.size.size(); ++i)
    if (window.size[i] > 1 && (window.dilation[i] > 1 || window.size[i] > window.strides[i]))
      return true;
  return false;
}

PrecisionRole role_of(const Dot&) { return kNarrow; }
PrecisionRole role_of(const Convolution&) { return kNarrow; }

PrecisionRole role_of(const Elementwise& op) { return role_of(op.function); }
PrecisionRole role_of(const Select&) { return kFollow; }
PrecisionRole role_of(const Broadcast&) { return kFollow; }
PrecisionRole role_of(const Reshape&) { return kFollow; }
PrecisionRole role_of(const Transpose&) { return kFollow; }
PrecisionRole role_of(const Reverse&) { return kFollow; }
PrecisionRole role_of(const Slice&) { return kFollow; }
PrecisionRole role_of(const Pad&) { return kFollow; }
PrecisionRole role_of(const Concatenate&) { return kFollow; }
PrecisionRole role_of(const DynamicSlice&) { return kFollow; }
PrecisionRole role_of(const DynamicUpdateSlice&) { return kFollow; }
PrecisionRole role_of(const Gather&) { return kFollow; }
PrecisionRole role_of(const Reduce& op) { return role_of(op.kind); }
PrecisionRole role_of(const CumulativeReduce& op) { return role_of(op.kind); }
PrecisionRole role_of(const WindowReduce& op) { return role_of(op.kind); }
PrecisionRole role_of(const WindowSelect& op) {
  const bool adds = op.direction == WindowDirection::scatter && windows_overlap(op.window);
  return adds ? kWide : kFollow;
}
PrecisionRole role_of(const Barrier&) { return kFollow; }
PrecisionRole role_of(const ShardingConstraint&) { return kFollow; }

PrecisionRole role_of(const Parameter&) { return kWide; }
PrecisionRole role_of(const Constant&) { return kWide; }
PrecisionRole role_of(const Iota&) { return kWide; }
PrecisionRole role_of(const Cast&) { return kWide; }
PrecisionRole role_of(const Bitcast&) { return kWide; }
PrecisionRole role_of(const Scatter&) { return kWide; }
PrecisionRole role_of(const Sort&) { return kWide; }
PrecisionRole role_of(const RandomBits&) { return kWide; }
PrecisionRole role_of(const Softmax&) { return kWide; }
PrecisionRole role_of(const LogSoftmax&) { return kWide; }
PrecisionRole role_of(const SparseCrossEntropy&) { return kWide; }
PrecisionRole role_of(const LayerNorm&) { return kWide; }
PrecisionRole role_of(const LayerNormGradient&) { return kWide; }
PrecisionRole role_of(const RmsNorm&) { return kWide; }
PrecisionRole role_of(const AdamUpdate&) { return kWide; }
PrecisionRole role_of(const MomentumUpdate&) { return kWide; }
// Their sub-graphs and definitions are looked into; what they take and give is f32.
PrecisionRole role_of(const Scan&) { return kWide; }
PrecisionRole role_of(const While&) { return kWide; }
PrecisionRole role_of(const Cond&) { return kWide; }
PrecisionRole role_of(const CustomGradient&) { return kWide; }
PrecisionRole role_of(const Attention&) { return kWide; }

}  // namespace

PrecisionRole precision_role(const Op& op) {
  return std::visit([](const auto& o) { return role_of(o); }, op);
}

}  // namespace tenon::passes

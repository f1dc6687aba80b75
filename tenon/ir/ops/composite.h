// Composites: ops with a definition in terms of other ops; backends may have native kernels.
#pragma once
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

// How a composite gets what its definition implies (composite.cpp).
// The types of its outputs. An error of an op inside it becomes one of `op`.
TensorTypes composite_types(std::string_view op, const std::function<Graph()>& definition);
HostTensors composite_evaluate(const Graph& definition, OperandValues values);
Gradients composite_gradient(const Graph& definition, const GradientInputs& in);
TensorTypes operand_types(const GradientInputs& in);
TensorTypes value_types(OperandValues values);

template <CompositeDefinition Op>
TensorTypes infer_types(const Op& op, OperandTypes types) {
  return composite_types(Op::kName, [&] { return definition(op, types); });
}
template <CompositeDefinition Op>
HostTensors evaluate(const Op& op, OperandValues values) {
  return composite_evaluate(definition(op, value_types(values)), values);
}
template <CompositeDefinition Op>
Gradients gradient(const Op& op, const GradientInputs& in) {
  return composite_gradient(definition(op, operand_types(in)), in);
}

// exp(x - max) / sum(exp(x - max)) along the axis; float x.
struct Softmax {
  static constexpr std::string_view kName = "softmax";
  std::int64_t axis = 0;
  bool operator==(const Softmax&) const = default;
  static void fields(auto& op, auto&& visit) { visit("axis", op.axis); }
};

// x - max - log(sum(exp(x - max))) along the axis; float x.
struct LogSoftmax {
  static constexpr std::string_view kName = "log_softmax";
  std::int64_t axis = 0;
  bool operator==(const LogSoftmax&) const = default;
  static void fields(auto& op, auto&& visit) { visit("axis", op.axis); }
};

// Operands logits [..., C] (float) and labels [...] (integer, in [0, C); out of range clamps).
// Results: loss [...] = log_sum_exp - logits[label], and the residual log_sum_exp [...], which is
// f32 where the logits are f16 or bf16.
struct SparseCrossEntropy {
  static constexpr std::string_view kName = "sparse_cross_entropy";
  bool operator==(const SparseCrossEntropy&) const = default;
  static void fields(auto&, auto&&) {}
};

// Operands x [..., N], scale [N], offset [N]. Results: y = (x - mean) * rstd * scale + offset over
// the last axis, and the residuals mean [...] and rstd [...] = 1 / sqrt(variance + epsilon), f32
// where x is f16 or bf16. Ba, Kiros, Hinton 2016.
struct LayerNorm {
  static constexpr std::string_view kName = "layer_norm";
  double epsilon = 1e-5;
  bool operator==(const LayerNorm&) const = default;
  static void fields(auto& op, auto&& visit) { visit("epsilon", op.epsilon); }
};

// Operands x, scale, mean, rstd, upstream of y. Results: gradients of x, scale and offset.
struct LayerNormGradient {
  static constexpr std::string_view kName = "layer_norm_gradient";
  bool operator==(const LayerNormGradient&) const = default;
  static void fields(auto&, auto&&) {}
};

// Operands x [..., N], scale [N]: x * scale / sqrt(mean(x^2) + epsilon). Zhang, Sennrich 2019.
struct RmsNorm {
  static constexpr std::string_view kName = "rms_norm";
  double epsilon = 1e-6;
  bool operator==(const RmsNorm&) const = default;
  static void fields(auto& op, auto&& visit) { visit("epsilon", op.epsilon); }
};

// softmax(scale * q k^T) v with q [..., T, D], k [..., S, D], v [..., S, E]; leading axes are
// batch. causal: position t attends to s <= t + S - T, and T <= S. Vaswani et al. 2017.
struct Attention {
  static constexpr std::string_view kName = "attention";
  double scale = 1.0;
  bool causal = false;
  bool operator==(const Attention&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("scale", op.scale);
    visit("causal", op.causal);
  }
};

// Operands w, g, m, v of one float type, then scalars of that type: learning rate, beta1, beta2,
// epsilon, weight decay (decoupled, times learning rate), step (1 at the first step). Results: w,
// m, v after one step of Adam (Kingma, Ba 2015, algorithm 1; decay as Loshchilov, Hutter 2019).
struct AdamUpdate {
  static constexpr std::string_view kName = "adam_update";
  bool operator==(const AdamUpdate&) const = default;
  static void fields(auto&, auto&&) {}
};

// Operands w, g, velocity of one float type, then scalars learning rate and momentum. Results w,
// velocity: velocity = momentum * velocity + g; w = w - lr * velocity (nesterov: w - lr * (g +
// momentum * velocity)).
struct MomentumUpdate {
  static constexpr std::string_view kName = "momentum_update";
  bool nesterov = false;
  bool operator==(const MomentumUpdate&) const = default;
  static void fields(auto& op, auto&& visit) { visit("nesterov", op.nesterov); }
};

Graph definition(const Softmax& op, OperandTypes types);
Gradients gradient(const Softmax& op, const GradientInputs& in);

Graph definition(const LogSoftmax& op, OperandTypes types);
Gradients gradient(const LogSoftmax& op, const GradientInputs& in);

Graph definition(const SparseCrossEntropy& op, OperandTypes types);
Gradients gradient(const SparseCrossEntropy& op, const GradientInputs& in);

Graph definition(const LayerNorm& op, OperandTypes types);
Gradients gradient(const LayerNorm& op, const GradientInputs& in);

Graph definition(const LayerNormGradient& op, OperandTypes types);

Graph definition(const RmsNorm& op, OperandTypes types);

Graph definition(const Attention& op, OperandTypes types);

Graph definition(const AdamUpdate& op, OperandTypes types);

Graph definition(const MomentumUpdate& op, OperandTypes types);

}  // namespace tenon::ir

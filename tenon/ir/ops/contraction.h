// Dot and convolution: the ops that multiply and accumulate.
#pragma once
#include <array>
#include "tenon/ir/ops/definition.h"

namespace tenon::ir {

enum class Precision : std::uint8_t { standard, high, highest };
constexpr auto enum_names(Precision) {
  return std::to_array<std::string_view>({"standard", "high", "highest"});
}

// Batched contraction of two operands of one element type. Result axes: batch axes, then the free
// axes of lhs, then those of rhs, each in order. Floats accumulate at least in f32 (f64 for f64),
// integers wrap. The reference accumulates in f64 and rounds once to `result`.
struct Dot {
  static constexpr std::string_view kName = "dot";
  Axes lhs_batch;
  Axes rhs_batch;
  Axes lhs_contracting;
  Axes rhs_contracting;
  DType result = DType::f32;
  Precision precision = Precision::highest;
  bool operator==(const Dot&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("lhs_batch", op.lhs_batch);
    visit("rhs_batch", op.rhs_batch);
    visit("lhs_contracting", op.lhs_contracting);
    visit("rhs_contracting", op.rhs_contracting);
    visit("result", op.result);
    visit("precision", op.precision);
  }
};

// Cross-correlation of input (operand 0) with kernel (operand 1), any number of spatial axes, in
// any layout: the dimension numbers name the axes. StableHLO's `convolution` without window
// reversal. Padding may be negative. feature_groups and batch_groups are not both above 1.
struct Convolution {
  static constexpr std::string_view kName = "convolution";
  std::int64_t input_batch = 0;
  std::int64_t input_feature = 0;
  Axes input_spatial;
  std::int64_t kernel_input = 0;
  std::int64_t kernel_output = 0;
  Axes kernel_spatial;
  std::int64_t output_batch = 0;
  std::int64_t output_feature = 0;
  Axes output_spatial;
  Shape strides;
  Shape low;              // padding before each spatial axis
  Shape high;             // padding after
  Shape base_dilation;    // of the input
  Shape window_dilation;  // of the kernel
  std::int64_t feature_groups = 1;
  std::int64_t batch_groups = 1;
  DType result = DType::f32;
  Precision precision = Precision::highest;
  bool operator==(const Convolution&) const = default;
  static void fields(auto& op, auto&& visit) {
    visit("input_batch", op.input_batch);
    visit("input_feature", op.input_feature);
    visit("input_spatial", op.input_spatial);
    visit("kernel_input", op.kernel_input);
    visit("kernel_output", op.kernel_output);
    visit("kernel_spatial", op.kernel_spatial);
    visit("output_batch", op.output_batch);
    visit("output_feature", op.output_feature);
    visit("output_spatial", op.output_spatial);
    visit("strides", op.strides);
    visit("low", op.low);
    visit("high", op.high);
    visit("base_dilation", op.base_dilation);
    visit("window_dilation", op.window_dilation);
    visit("feature_groups", op.feature_groups);
    visit("batch_groups", op.batch_groups);
    visit("result", op.result);
    visit("precision", op.precision);
  }
};

TensorTypes infer_types(const Dot& op, OperandTypes types);
HostTensors evaluate(const Dot& op, OperandValues values);
Gradients gradient(const Dot& op, const GradientInputs& in);

TensorTypes infer_types(const Convolution& op, OperandTypes types);
HostTensors evaluate(const Convolution& op, OperandValues values);
Gradients gradient(const Convolution& op, const GradientInputs& in);

}  // namespace tenon::ir

// SkipConcat: a body of layers whose input is kept beside its output.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/sequential.h"

namespace tenon::nn {

// x and body(x) side by side in the last axis, x first: [..., channels] -> [..., channels +
// channels of the body]. The long connections of U-Net (Ronneberger et al. 2015), one within the
// other, and the short ones of DenseNet (Huang et al. 2017).
struct SkipConcat {
  static constexpr std::string_view kKind = "skip_concat";
  Layer body = Sequential{};
  // UserError unless body(x) has the extents of x in all axes but the last.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("body", body); }
};

}  // namespace tenon::nn

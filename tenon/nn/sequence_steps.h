// Layers that add a step to a sequence or take one out: ClassToken, SelectStep.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// A learned row before the first step of each sequence: x [batch, time, features]
// -> [batch, 1 + time, features]. token [features]. Devlin et al. 2019; Dosovitskiy et al. 2021.
struct ClassToken {
  static constexpr std::string_view kKind = "class_token";
  static constexpr bool kMixesSteps = true;
  Initializer initializer{InitializerKind::normal, 0.02};
  Variable token{};
  // UserError unless x is a float of rank 3.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("initializer", initializer);
    visit("token", token);
  }
};

// One step of each sequence: x [batch, time, ...] -> [batch, ...]. A negative step counts from the
// end.
struct SelectStep {
  static constexpr std::string_view kKind = "select_step";
  static constexpr bool kMixesSteps = true;
  std::int64_t step = 0;
  // UserError unless x has that step.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("step", step); }
};

}  // namespace tenon::nn

// Layers that normalise: BatchNorm, LayerNorm, RMSNorm, GroupNorm, InstanceNorm.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// Over all axes but the last. Training uses the batch's mean and variance and moves the running
// ones: running = momentum * running + (1 - momentum) * batch (variance with divisor n - 1, as
// PyTorch; momentum as Keras). Inference uses the running ones. Ioffe, Szegedy 2015.
// scale, offset, mean and variance are [channels].
struct BatchNorm {
  static constexpr std::string_view kKind = "batch_norm";
  double momentum = 0.9;
  double epsilon = 1e-5;
  Variable scale{};
  Variable offset{};
  Variable mean{};
  Variable variance{};
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("momentum", momentum);
    visit("epsilon", epsilon);
    visit("scale", scale);
    visit("offset", offset);
    visit("mean", mean);
    visit("variance", variance);
  }
};

// Over the last axis; scale and offset are [features]. Ba, Kiros, Hinton 2016.
struct LayerNorm {
  static constexpr std::string_view kKind = "layer_norm";
  double epsilon = 1e-5;
  Variable scale{};
  Variable offset{};
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("epsilon", epsilon);
    visit("scale", scale);
    visit("offset", offset);
  }
};

// x / sqrt(mean(x^2) + epsilon) * scale over the last axis; scale [features]. Zhang, Sennrich 2019.
struct RMSNorm {
  static constexpr std::string_view kKind = "rms_norm";
  double epsilon = 1e-6;
  Variable scale{};
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("epsilon", epsilon);
    visit("scale", scale);
  }
};

// Over all axes but the batch, for each group of neighbouring channels; scale and offset are
// [channels]. x [batch, ..., channels]. Wu, He 2018.
struct GroupNorm {
  static constexpr std::string_view kKind = "group_norm";
  static constexpr bool kMixesSteps = true;
  std::int64_t groups = 32;
  double epsilon = 1e-5;
  Variable scale{};
  Variable offset{};
  // UserError unless x is a float whose channels divide into the groups.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("groups", groups);
    visit("epsilon", epsilon);
    visit("scale", scale);
    visit("offset", offset);
  }
};

// GroupNorm with each channel a group. Ulyanov, Vedaldi, Lempitsky 2016.
struct InstanceNorm {
  static constexpr std::string_view kKind = "instance_norm";
  static constexpr bool kMixesSteps = true;
  double epsilon = 1e-5;
  Variable scale{};
  Variable offset{};
  // UserError unless x is a float [batch, ..., channels] of rank 3 or more.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("epsilon", epsilon);
    visit("scale", scale);
    visit("offset", offset);
  }
};

}  // namespace tenon::nn

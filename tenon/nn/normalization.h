// Layers that normalise: BatchNorm, LayerNorm.
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

}  // namespace tenon::nn

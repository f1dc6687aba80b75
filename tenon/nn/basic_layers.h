// Layers of single elements and of shapes: Flatten, Reshape, Permute, activations, Dropout.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// [batch, ...] -> [batch, features].
struct Flatten {
  static constexpr std::string_view kKind = "flatten";
  static constexpr bool kMixesSteps = true;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor&) {}
};

// [batch, ...] -> [batch, shape...]; one extent may be -1.
struct Reshape {
  static constexpr std::string_view kKind = "reshape";
  static constexpr bool kMixesSteps = true;
  std::vector<std::int64_t> shape;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("shape", shape); }
};

// Axes in a new order, counted from 1 because the batch, axis 0, stays first: {2, 1} swaps time and
// features.
struct Permute {
  static constexpr std::string_view kKind = "permute";
  static constexpr bool kMixesSteps = true;
  std::vector<std::int64_t> axes;
  // UserError unless axes name each axis of x but the first once.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("axes", axes); }
};

struct ActivationLayer {
  static constexpr std::string_view kKind = "activation";
  Activation activation = Activation::relu;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("activation", activation); }
};

// x, or slope * x below zero.
struct LeakyReLU {
  static constexpr std::string_view kKind = "leaky_relu";
  double slope = 0.01;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("slope", slope); }
};

// x, or alpha * x below zero: one learned alpha for each channel (of the last axis). He et al.
// 2015.
struct PReLU {
  static constexpr std::string_view kKind = "prelu";
  Initializer initializer{InitializerKind::constant, 0.25};
  Variable alpha{};
  // UserError unless x is a float [batch, ..., channels].
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("initializer", initializer);
    visit("alpha", alpha);
  }
};

// In training zeroes each element with probability `rate` and scales the rest by 1 / (1 - rate);
// otherwise the identity. Srivastava et al. 2014.
struct Dropout {
  static constexpr std::string_view kKind = "dropout";
  double rate = 0.5;
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("rate", rate); }
};

// Dropout of whole channels: one draw for each sample and channel, of images [batch, height, width,
// channels] or sequences [batch, time, channels]. Tompson et al. 2015.
struct SpatialDropout {
  static constexpr std::string_view kKind = "spatial_dropout";
  double rate = 0.5;
  // UserError unless x is a float of rank 3 or more.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) { visit("rate", rate); }
};

using SpatialDropout1D = SpatialDropout;
using SpatialDropout2D = SpatialDropout;

}  // namespace tenon::nn

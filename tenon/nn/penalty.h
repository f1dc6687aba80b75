// Penalties of weights and of outputs, as terms of the loss.
#pragma once
#include "tenon/nn/sequential.h"

namespace tenon::nn {

// A layer (or a whole model) with penalties: the loss grows by l1 * sum |w| + l2 * sum w^2 over the
// trainable weights whose path is of the pattern, each once, and by the same sums of the layer's
// output divided by the batch. These are Keras' kernel_, bias_ and activity_regularizer:
//   Penalized{Dense{64}, {.l2 = 1e-4}}                       of the kernel
//   Penalized{Dense{64}, {.weights = "*bias", .l1 = 1e-3}}   of the bias
// (Keras 2 divides those of outputs by the batch too, Keras 3 does not.) l2 is that of Keras: an
// optimizer's weight_decay of 2 * l2 that is added to gradients does the same.
struct PenaltyOptions {
  std::string weights = "*kernel";  // tenon/base/name_pattern.h; "*table" of an Embedding
  double l1 = 0;
  double l2 = 0;
  double activity_l1 = 0;
  double activity_l2 = 0;
  bool operator==(const PenaltyOptions&) const = default;
};

struct Penalized {
  static constexpr std::string_view kKind = "penalized";
  Layer layer = Sequential{};
  PenaltyOptions penalty{};

  // UserError for a penalty that is negative or not finite, and a pattern that no weight is of.
  Tensor operator()(const Tensor& x, Context& context);
  Outcome learn(const Tensor& x, const Tensor& y, Context& context);
  const Layer& wrapped() const { return layer; }
  void fields(FieldVisitor& visit) {
    visit("weights", penalty.weights);
    visit("l1", penalty.l1);
    visit("l2", penalty.l2);
    visit("activity_l1", penalty.activity_l1);
    visit("activity_l2", penalty.activity_l2);
    visit("layer", layer);
  }

 private:
  void add_penalties(const Tensor& output, Context& context);
};

// "l1:NUMBER" or "l2:NUMBER", of the kernels, or "l2:NUMBER:PATTERN". UserError for anything else.
PenaltyOptions parse_penalty(std::string_view text);

}  // namespace tenon::nn

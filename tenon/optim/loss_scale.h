// Dynamic loss scaling: keeps small gradients within the range of fp16, and skips what overflows.
#pragma once
#include <span>
#include <vector>

#include "tenon/optim/hyperparameter.h"
#include "tenon/tensor/tensor.h"

namespace tenon::optim {

// The usual first scale of training in fp16.
inline constexpr double kUsualLossScale = 32768;

// Micikevicius et al., "Mixed precision training", 2018; the rule is that of PyTorch's GradScaler.
struct LossScaleOptions {
  double initial = 0;            // 0: the loss is not scaled, and nothing is skipped
  double growth = 2;             // factor after `interval` updates without an overflow
  double backoff = 0.5;          // factor after an overflow
  std::int64_t interval = 2000;  // updates

  bool operator==(const LossScaleOptions&) const = default;
  void fields(HyperparameterVisitor& visit) {
    visit("loss_scale", initial, Range::not_negative);
    visit("loss_scale_growth", growth, Range::above_one);
    visit("loss_scale_backoff", backoff, Range::fraction);
    visit("loss_scale_interval", interval, 1);
  }
};

// The scale as state of a training step, and how it moves.
class LossScale {
 public:
  explicit LossScale(const LossScaleOptions& options);
  bool is_on() const { return options_.initial > 0; }

  // "optimizer/loss_scale" f64[], "optimizer/good_steps" i64[] (updates since the scale last
  // changed), "optimizer/skipped_steps" i64[]; none if it is off.
  std::vector<Variable> state() const;
  const Variable& scale() const { return scale_; }
  const Variable& skipped_steps() const { return skipped_; }

  // The loss times the scale; gradients divided by it.
  Tensor scaled(const Tensor& loss) const;
  std::vector<Tensor> unscaled(std::span<const Tensor> gradients) const;
  // What an update that is due (bool[]) does to the state, by whether its gradients are finite
  // (bool[]). The scale stays a finite f32 and does not fall below 2^-24.
  std::vector<Update> next(const Tensor& is_due, const Tensor& is_finite) const;

 private:
  LossScaleOptions options_;
  Variable scale_, good_, skipped_;
};

// Whether no element of any of the tensors is infinite or NaN: bool[].
Tensor are_finite(std::span<const Tensor> tensors);
// Updates that leave their variables as they are unless the predicate (bool[]) is true.
std::vector<Update> only_if(const Tensor& predicate, std::span<const Update> updates);

}  // namespace tenon::optim

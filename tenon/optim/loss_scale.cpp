#include "tenon/optim/loss_scale.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {
namespace {

constexpr double kSmallestLossScale = 0x1p-24;

Variable counter(std::string name) {
  Variable variable;
  variable.define(std::move(name), {DType::i64, {}}, VariableKind::optimizer,
                  [](std::uint64_t) { return make_scalar(std::int64_t{0}); });
  return variable;
}

}  // namespace

LossScale::LossScale(const LossScaleOptions& options) : options_(options) {
  if (!is_on()) return;
  scale_.define("optimizer/loss_scale", {DType::f64, {}}, VariableKind::scalar,
                [initial = options.initial](std::uint64_t) { return make_scalar(initial); });
  good_ = counter("optimizer/good_steps");
  skipped_ = counter("optimizer/skipped_steps");
}

std::vector<Variable> LossScale::state() const {
  if (!is_on()) return {};
  return {scale_, good_, skipped_};
}

Tensor LossScale::scaled(const Tensor& loss) const {
  return is_on() ? loss * cast(Tensor(scale_), loss.dtype()) : loss;
}

std::vector<Tensor> LossScale::unscaled(std::span<const Tensor> gradients) const {
  std::vector<Tensor> all(gradients.begin(), gradients.end());
  if (!is_on()) return all;
  const Tensor inverse = 1.0 / Tensor(scale_);
  for (Tensor& gradient : all) gradient = gradient * cast(inverse, gradient.dtype());
  return all;
}

std::vector<Update> LossScale::next(const Tensor& is_due, const Tensor& is_finite) const {
  const Tensor scale(scale_), skipped(skipped_);
  const Tensor good = Tensor(good_) + 1;
  const Tensor is_time = good >= options_.interval;
  const Tensor grown = scale * options_.growth;
  const Tensor fits = tenon::is_finite(cast(grown, DType::f32));
  const Tensor after_good = where(logical_and(is_time, fits), grown, scale);
  const Tensor after_bad = maximum(scale * options_.backoff, kSmallestLossScale);
  const Tensor next_good = where(logical_and(is_finite, !is_time), good, std::int64_t{0});
  const Tensor next_skipped = where(is_finite, skipped, skipped + 1);
  const std::vector<Update> updates = {
      assign(scale_, where(is_finite, after_good, after_bad)),
      assign(good_, next_good),
      assign(skipped_, next_skipped),
  };
  return only_if(is_due, updates);
}

Tensor are_finite(std::span<const Tensor> tensors) {
  Tensor together;
  for (const Tensor& tensor : tensors) {
    const Tensor own = all(is_finite(tensor));
    together = together.is_empty() ? own : logical_and(together, own);
  }
  return together.is_empty() ? Tensor(true) : together;
}

std::vector<Update> only_if(const Tensor& predicate, std::span<const Update> updates) {
  std::vector<Update> guarded;
  for (const Update& update : updates)
    guarded.push_back(
        assign(update.variable, where(predicate, update.value, Tensor(update.variable))));
  return guarded;
}

}  // namespace tenon::optim

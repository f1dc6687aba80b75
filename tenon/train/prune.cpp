#include "tenon/train/prune.h"

#include <algorithm>
#include <cmath>

#include "tenon/tensor/functions.h"
#include "tenon/train/quantize.h"
#include "tenon/train/trainer.h"

namespace tenon {
namespace {

void validate(const PruneOptions& options) {
  for (const double part : {options.sparsity, options.initial_sparsity})
    require(part >= 0 && part < 1, "prune: a sparsity from 0 to below 1 expected, got {}", part);
  require(options.initial_sparsity <= options.sparsity,
          "prune: initial_sparsity {} is above sparsity {}", options.initial_sparsity,
          options.sparsity);
  require(options.begin_step >= 0 && options.end_step >= 0,
          "prune: steps must not be negative, got begin_step {} and end_step {}",
          options.begin_step, options.end_step);
  require(options.every >= 1, "prune: every must be 1 or more, got {}", options.every);
}

struct PlacedMagnitude {
  double magnitude;
  std::size_t tensor;
  std::int64_t element;
  bool operator<(const PlacedMagnitude& other) const {
    return std::tie(magnitude, tensor, element) <
           std::tie(other.magnitude, other.tensor, other.element);
  }
};

void set_zero(HostTensor& tensor, std::int64_t element) {
  const std::size_t width = tensor.bytes().size() / static_cast<std::size_t>(tensor.size());
  std::ranges::fill(tensor.bytes().subspan(static_cast<std::size_t>(element) * width, width),
                    std::byte{0});
}

void zero_smallest_of(std::span<HostTensor> weights, double sparsity) {
  std::vector<PlacedMagnitude> all;
  for (std::size_t k = 0; k < weights.size(); ++k)
    for (std::int64_t i = 0; i < weights[k].size(); ++i) {
      const double magnitude = std::abs(element_as_double(weights[k], i));
      // What is not a number is no small weight.
      all.push_back({std::isnan(magnitude) ? INFINITY : magnitude, k, i});
    }
  const auto count = std::llround(sparsity * static_cast<double>(all.size()));
  std::ranges::nth_element(all, all.begin() + std::min<std::ptrdiff_t>(count, std::ssize(all)),
                           std::less<>());
  for (const PlacedMagnitude& place : std::span(all).first(static_cast<std::size_t>(count)))
    set_zero(weights[place.tensor], place.element);
}

std::vector<HostTensor> read_all(Trainer& trainer, std::span<const Variable> variables) {
  std::vector<HostTensor> values;
  for (const Variable& variable : variables) values.push_back(trainer.session().read(variable));
  return values;
}

}  // namespace

double sparsity_at(const PruneOptions& options, std::int64_t step) {
  validate(options);
  if (step < options.begin_step) return 0;
  if (step >= options.end_step) return options.sparsity;
  const double part = static_cast<double>(step - options.begin_step) /
                      static_cast<double>(options.end_step - options.begin_step);
  return options.sparsity + (options.initial_sparsity - options.sparsity) * std::pow(1 - part, 3);
}

void zero_smallest(std::span<HostTensor> weights, double sparsity, bool is_global) {
  require(sparsity >= 0 && sparsity <= 1, "prune: a sparsity from 0 to 1 expected, got {}",
          sparsity);
  for (const HostTensor& weight : weights)
    require(is_float(weight.dtype()), "prune: weights must be floats, got {}", weight.type());
  if (is_global) {
    zero_smallest_of(weights, sparsity);
    return;
  }
  for (HostTensor& weight : weights) zero_smallest_of(std::span(&weight, 1), sparsity);
}

std::vector<Variable> pruned_weights(const Trainer& trainer, const PruneOptions& options) {
  std::vector<Variable> chosen;
  for (const Variable& weight : trainer.weights()) {
    const bool is_chosen = options.chooses ? options.chooses(weight)
                                           : weight.kind() == VariableKind::weight &&
                                                 weight.is_trainable() && weight.type().rank() >= 2;
    if (is_chosen) chosen.push_back(weight);
  }
  return chosen;
}

void prune(Trainer& trainer, const PruneOptions& options) {
  validate(options);
  require(trainer.is_built(), "prune: the model has no weights yet; fit, build or load it first");
  const std::vector<Variable> weights = pruned_weights(trainer, options);
  require(!weights.empty(), "prune: {}",
          is_quantized(trainer)
              ? "the model is quantised already, its weights are no floats\n  help: prune before "
                "quantising"
              : "the model has none of the weights that are to be pruned");
  std::vector<HostTensor> values = read_all(trainer, weights);
  zero_smallest(values, options.sparsity, options.is_global);
  for (std::size_t i = 0; i < weights.size(); ++i) trainer.session().write(weights[i], values[i]);
}

double sparsity_of(Trainer& trainer, std::span<const Variable> weights) {
  std::int64_t zeros = 0, all = 0;
  for (const HostTensor& value : read_all(trainer, weights)) {
    all += value.size();
    for (std::int64_t i = 0; i < value.size(); ++i) zeros += element_as_double(value, i) == 0;
  }
  return all > 0 ? static_cast<double>(zeros) / static_cast<double>(all) : 0;
}

MagnitudePruning::MagnitudePruning(PruneOptions options) : options_(std::move(options)) {
  validate(options_);
}

void MagnitudePruning::on_compiled(Trainer& trainer) {
  weights_ = pruned_weights(trainer, options_);
  kept_.clear();
  StepResult result;
  for (const Variable& weight : weights_) {
    const Variable kept(filled({DType::boolean, weight.shape()}, 1), "prune/" + weight.name(),
                        VariableKind::statistic);
    const Tensor value = where(kept, weight, zeros_like(weight));
    result.updates.push_back(assign(weight, value));
    result.updates.push_back(assign(kept, value != zeros_like(weight)));
    kept_.push_back(kept);
  }
  keep_zeros_.emplace(trainer.session().compile({}, result));
  const std::int64_t done = trainer.steps_done();
  if (prunes_at(done))
    prune_at(trainer, done);
  else if (done >= options_.begin_step)
    remember_zeros(trainer);
}

bool MagnitudePruning::prunes_at(std::int64_t step) const {
  if (step < options_.begin_step) return false;
  const std::int64_t last = std::max(options_.begin_step, options_.end_step);
  return step == last || (step < last && (step - options_.begin_step) % options_.every == 0);
}

void MagnitudePruning::prune_at(Trainer& trainer, std::int64_t step) {
  PruneOptions now = options_;
  now.initial_sparsity = 0;
  now.sparsity = sparsity_at(options_, step);
  prune(trainer, now);
  remember_zeros(trainer);
}

void MagnitudePruning::remember_zeros(Trainer& trainer) {
  const std::vector<HostTensor> values = read_all(trainer, weights_);
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    HostTensor kept({DType::boolean, weights_[i].shape()});
    const auto flags = kept.as<bool>();
    for (std::size_t k = 0; k < flags.size(); ++k)
      flags[k] = element_as_double(values[i], static_cast<std::int64_t>(k)) != 0;
    trainer.session().write(kept_[i], kept);
  }
}

bool MagnitudePruning::on_step_end(Trainer& trainer, const StepInfo& info) {
  if (info.step <= options_.begin_step) {
    if (prunes_at(info.step)) prune_at(trainer, info.step);
    return true;
  }
  keep_zeros_->run(std::span<const HostView>{});
  if (prunes_at(info.step)) prune_at(trainer, info.step);
  return true;
}

void MagnitudePruning::on_fit_end(Trainer&) { keep_zeros_.reset(); }

}  // namespace tenon

// Magnitude pruning: the smallest weights become zero and stay so while training goes on.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "tenon/session/session.h"
#include "tenon/train/events.h"

namespace tenon {

struct PruneOptions {
  double sparsity = 0.8;        // the part of the chosen weights that is zero at the end
  double initial_sparsity = 0;  // and at begin_step
  std::int64_t begin_step = 0;  // training steps done when pruning begins
  std::int64_t end_step = 0;  // and when the final sparsity is reached; at most begin_step: at once
  std::int64_t every = 100;   // steps between prunings in between
  bool is_global = false;     // the smallest of all chosen weights, not of each one alike
  // Which weights are pruned; without it trainable ones with two axes or more.
  std::function<bool(const Variable&)> chooses{};
};

// The part that is zero after so many training steps, s_f + (s_i - s_f) (1 - p)^3 for the part p of
// the way from begin_step to end_step: Zhu, Gupta 2017, equation 1; 0 before begin_step. UserError
// for sparsities outside [0, 1), a final one below the initial one, negative steps, every < 1.
double sparsity_at(const PruneOptions& options, std::int64_t step);

// Sets round(sparsity * size) elements to zero, those of the least magnitude (the first of equal
// ones), of each tensor or of all together. Zeros count among them. UserError for element types
// that are no floats.
void zero_smallest(std::span<HostTensor> weights, double sparsity, bool is_global);

// The weights of a Trainer that the options choose.
std::vector<Variable> pruned_weights(const Trainer& trainer, const PruneOptions& options);
// Prunes them to options.sparsity now.
void prune(Trainer& trainer, const PruneOptions& options);
// The part of the elements that is exactly zero.
double sparsity_of(Trainer& trainer, std::span<const Variable> weights);

// Prunes while a fit runs, by the schedule, and keeps what is pruned at zero: after every step from
// begin_step on, a weight that was zero before the step is zero again. Nothing but the weights
// needs to be remembered for that, so a run that goes on from a checkpoint does so with the same
// bits. Moments of the optimizer and moving averages of weights are left alone.
class MagnitudePruning final : public Callback {
 public:
  explicit MagnitudePruning(PruneOptions options);
  void on_compiled(Trainer& trainer) override;
  bool on_step_end(Trainer& trainer, const StepInfo& info) override;
  void on_fit_end(Trainer& trainer) override;

 private:
  bool prunes_at(std::int64_t step) const;
  void prune_at(Trainer& trainer, std::int64_t step);
  void remember_zeros(Trainer& trainer);

  PruneOptions options_;
  std::vector<Variable> weights_, kept_;  // kept_: bool, false where the weight is zero
  std::optional<CompiledStep> keep_zeros_;
};

}  // namespace tenon

// What goes with any rule: clipping of gradients, which weights decay or learn at another rate,
// constraints, lookahead, averages of weights.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "tenon/optim/constraint.h"
#include "tenon/optim/groups.h"
#include "tenon/optim/hyperparameter.h"
#include "tenon/optim/loss_scale.h"
#include "tenon/tensor/tensor.h"

namespace tenon::optim {

// The names of the slots that hold the moving average of a weight, and its slow copy.
inline constexpr std::string_view kAverageSlot = "average";
inline constexpr std::string_view kSlowSlot = "slow";
// And the sum of its gradients, where they accumulate.
inline constexpr std::string_view kSumSlot = "gradient_sum";

// Constants of the compiled step. Gradients are clipped by value, then each by its norm, then all
// by their common norm; the rule's update is followed by lookahead, constraints and averages.
struct UpdateOptions {
  double clip_value = 0;  // elements of gradients stay within [-clip_value, clip_value]; 0: any
  double clip_norm = 0;   // the Euclidean norm of each gradient is at most this; 0: any
  double clip_global_norm = 0;  // of all together: Pascanu et al. 2013; 0: any
  // Moving averages of weights, average = decay * average + (1 - decay) * weight: Polyak, Juditsky
  // 1992; 0: none are kept.
  double average_decay = 0;
  // Biases, scales and offsets, which have fewer than two axes, are left out of weight_decay.
  bool decay_matrices_only = false;
  // Every so many steps the slow copy of each weight goes lookahead_alpha of the way to the weight,
  // and the weight goes back to the slow copy: Zhang et al. 2019, "Lookahead optimizer"; 0: never.
  std::int64_t lookahead_steps = 0;
  double lookahead_alpha = 0.5;
  // By name; of several patterns that a name matches, the first counts: {{"embedding/*", 0.1}}.
  // A pattern that no weight matches is a UserError when the step is traced.
  std::vector<RateFactor> rates{};
  std::vector<std::string> no_decay{};    // patterns of weights left out of weight_decay
  std::vector<Constraint> constraints{};  // after each update, as Keras has them
  // Micro-batches whose gradients make one update (accumulation.h); 1: each batch its own.
  std::int64_t accumulate_steps = 1;
  LossScaleOptions loss_scale{};  // for training in fp16

  bool operator==(const UpdateOptions&) const = default;
  void fields(HyperparameterVisitor& visit);
};

// Gradients of the same types. A norm that is not a number makes them not numbers.
std::vector<Tensor> clip_gradients(std::span<const Tensor> gradients, const UpdateOptions& options);

// What the learning rate of a weight is multiplied with.
double rate_factor(const UpdateOptions& options, std::string_view weight);
// Whether weight_decay is for it.
bool is_decayed(const UpdateOptions& options, const Variable& weight);
// The next value after the constraints that are for the weight.
Tensor constrained(const Tensor& next, const UpdateOptions& options, std::string_view weight);

// UserError "OWNER: ..." for a pattern that none of the names matches.
void require_patterns_match(const UpdateOptions& options, std::span<const Variable> weights,
                            std::string_view owner);

}  // namespace tenon::optim

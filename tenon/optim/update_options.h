// What goes with any rule: clipping of gradients, which weights decay, averages of weights.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "tenon/optim/hyperparameter.h"
#include "tenon/tensor/tensor.h"

namespace tenon::optim {

// The name of the slot that holds the moving average of a weight.
inline constexpr std::string_view kAverageSlot = "average";

// Constants of the compiled step. Gradients are clipped by value, then each by its norm, then all
// by their common norm.
struct UpdateOptions {
  double clip_value = 0;  // elements of gradients stay within [-clip_value, clip_value]; 0: any
  double clip_norm = 0;   // the Euclidean norm of each gradient is at most this; 0: any
  double clip_global_norm = 0;  // of all together: Pascanu et al. 2013; 0: any
  // Moving averages of weights, average = decay * average + (1 - decay) * weight: Polyak, Juditsky
  // 1992; 0: none are kept.
  double average_decay = 0;
  // Biases, scales and offsets, which have fewer than two axes, are left out of weight_decay.
  bool decay_matrices_only = false;

  bool operator==(const UpdateOptions&) const = default;
  void fields(HyperparameterVisitor& visit) {
    visit("clip_value", clip_value, Range::not_negative);
    visit("clip_norm", clip_norm, Range::not_negative);
    visit("clip_global_norm", clip_global_norm, Range::not_negative);
    visit("average_decay", average_decay, Range::fraction);
    visit("decay_matrices_only", decay_matrices_only);
  }
};

// Gradients of the same types. A norm that is not a number makes them not numbers.
std::vector<Tensor> clip_gradients(std::span<const Tensor> gradients, const UpdateOptions& options);

}  // namespace tenon::optim

#include "tenon/optim/update_options.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {
namespace {

// What a gradient whose squares sum to this is multiplied with, so that its norm is at most `most`.
Tensor shrinking_factor(const Tensor& sum_of_squares, double most) {
  return minimum(most / sqrt(sum_of_squares), 1.0);
}

}  // namespace

std::vector<Tensor> clip_gradients(std::span<const Tensor> gradients,
                                   const UpdateOptions& options) {
  std::vector<Tensor> clipped(gradients.begin(), gradients.end());
  if (options.clip_value > 0)
    for (Tensor& gradient : clipped)
      gradient = clip(gradient, -options.clip_value, options.clip_value);
  if (options.clip_norm > 0)
    for (Tensor& gradient : clipped)
      gradient = gradient * shrinking_factor(sum(square(gradient)), options.clip_norm);
  if (options.clip_global_norm > 0 && !clipped.empty()) {
    Tensor all;
    for (const Tensor& gradient : clipped) {
      const Tensor own = sum(square(gradient));
      all = all.is_empty() ? own : all + own;
    }
    const Tensor factor = shrinking_factor(all, options.clip_global_norm);
    for (Tensor& gradient : clipped) gradient = gradient * cast(factor, gradient.dtype());
  }
  return clipped;
}

}  // namespace tenon::optim

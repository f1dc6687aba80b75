// Gradient accumulation: the gradients of several micro-batches make one update.
#pragma once
#include <span>
#include <vector>

#include "tenon/tensor/tensor.h"

namespace tenon::optim {

// The sum of the micro-batches' gradients, each weighted as its loss is, divided by the sum of the
// weights: exactly the gradient of their mean loss, if some are shorter too.
class Accumulation {
 public:
  explicit Accumulation(std::int64_t steps);  // >= 1; at 1 it is off
  bool is_on() const { return steps_ > 1; }

  // "optimizer/micro_batches" i64[] (gradients summed since the last update) and
  // "optimizer/summed_weight" f64[]; none if it is off.
  std::vector<Variable> state() const;

  struct Result {
    std::vector<Tensor> gradients;  // of all micro-batches so far
    Tensor is_due;                  // bool[]: this micro-batch is the last one of its update
    std::vector<Update> updates;    // of the sums, which begin anew after an update
  };
  // `loss_weight` is a float scalar: the weight of the loss whose gradients are given; `sums` hold
  // their sums, one per gradient.
  Result add(std::span<const Tensor> gradients, const Tensor& loss_weight,
             std::span<const Variable> sums) const;

 private:
  std::int64_t steps_;
  Variable count_, weight_;
};

}  // namespace tenon::optim

#include "tenon/optim/adagrad.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Adagrad::update(RuleContext& context, const Variable& weight,
                                    const Tensor& gradient) {
  const Tensor w(weight);
  const Variable s = context.slot(weight, "s");  // without the initial value
  const Tensor g = gradient + context.hyperparameter("weight_decay") * w;
  const Tensor next_s = s + square(g);
  const Tensor rate =
      context.exact_hyperparameter("learning_rate") /
      (1 + (context.exact_step() - 1) * context.exact_hyperparameter("learning_rate_decay"));
  const Tensor size = sqrt(next_s + context.hyperparameter("initial_accumulator")) +
                      context.hyperparameter("epsilon");
  return {assign(weight, w - cast(rate, w.dtype()) * g / size), assign(s, next_s)};
}

}  // namespace tenon::optim

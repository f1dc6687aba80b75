#include "tenon/optim/adamax.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Adamax::update(RuleContext& context, const Variable& weight,
                                   const Tensor& gradient) {
  const Tensor w(weight);
  const Variable m = context.slot(weight, "m"), u = context.slot(weight, "u");
  const Tensor g = gradient + context.hyperparameter("weight_decay") * w;
  const Tensor rate = context.exact_hyperparameter("learning_rate") /
                      (1 - power(context.exact_hyperparameter("beta1"), context.exact_step()));
  const Tensor next_m = lerp(g, Tensor(m), context.hyperparameter("beta1"));
  const Tensor next_u =
      maximum(context.hyperparameter("beta2") * u, abs(g) + context.hyperparameter("epsilon"));
  return {assign(weight, w - cast(rate, w.dtype()) * next_m / next_u), assign(m, next_m),
          assign(u, next_u)};
}

}  // namespace tenon::optim

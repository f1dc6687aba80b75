#include "tenon/optim/lion.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Lion::update(RuleContext& context, const Variable& weight,
                                 const Tensor& gradient) {
  const Tensor w(weight);
  const Variable m = context.slot(weight, "m");
  const Tensor direction = sign(lerp(gradient, Tensor(m), context.hyperparameter("beta1")));
  const Tensor change = direction + context.hyperparameter("weight_decay") * w;
  return {assign(weight, w - context.hyperparameter("learning_rate") * change),
          assign(m, lerp(gradient, Tensor(m), context.hyperparameter("beta2")))};
}

}  // namespace tenon::optim

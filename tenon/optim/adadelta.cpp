#include "tenon/optim/adadelta.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Adadelta::update(RuleContext& context, const Variable& weight,
                                     const Tensor& gradient) {
  const Tensor w(weight);
  const Variable s = context.slot(weight, "s"), d = context.slot(weight, "d");
  const Tensor g = gradient + context.hyperparameter("weight_decay") * w;
  const Tensor rho = context.hyperparameter("rho"), epsilon = context.hyperparameter("epsilon");
  const Tensor next_s = lerp(square(g), Tensor(s), rho);
  const Tensor change = sqrt(d + epsilon) / sqrt(next_s + epsilon) * g;
  return {assign(weight, w - context.hyperparameter("learning_rate") * change), assign(s, next_s),
          assign(d, lerp(square(change), Tensor(d), rho))};
}

}  // namespace tenon::optim

#include "tenon/optim/rmsprop.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> RmsProp::update(RuleContext& context, const Variable& weight,
                                    const Tensor& gradient) {
  const Tensor w(weight), rho = context.hyperparameter("rho");
  const Variable s = context.slot(weight, "s"), velocity = context.slot(weight, "velocity");
  const Tensor g = gradient + context.hyperparameter("weight_decay") * w;
  const Tensor next_s = lerp(square(g), Tensor(s), rho);
  std::vector<Update> updates{assign(s, next_s)};
  Tensor variance = next_s;
  if (centered) {
    const Variable mean = context.slot(weight, "mean");
    const Tensor next_mean = lerp(g, Tensor(mean), rho);
    variance = maximum(next_s - square(next_mean), 0.0);  // rounding may leave less than nothing
    updates.push_back(assign(mean, next_mean));
  }
  const Tensor next_velocity = context.hyperparameter("momentum") * velocity +
                               g / (sqrt(variance) + context.hyperparameter("epsilon"));
  updates.push_back(assign(velocity, next_velocity));
  updates.push_back(assign(weight, w - context.hyperparameter("learning_rate") * next_velocity));
  return updates;
}

}  // namespace tenon::optim

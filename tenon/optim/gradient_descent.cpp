#include "tenon/optim/gradient_descent.h"

#include "tenon/tensor/build.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> GradientDescent::update(RuleContext& context, const Variable& weight,
                                            const Tensor& gradient) {
  const Tensor w(weight);
  return {assign(weight, w - context.hyperparameter("learning_rate") * gradient)};
}

std::vector<Update> Sgd::update(RuleContext& context, const Variable& weight,
                                const Tensor& gradient) {
  const Tensor w(weight);
  const Variable velocity = context.slot(weight, "velocity");
  const Tensor g = gradient + context.hyperparameter("weight_decay") * w;
  const std::vector<Tensor> next =
      apply_op_all(ir::MomentumUpdate{nesterov},
                   {w, g, Tensor(velocity), context.hyperparameter("learning_rate"),
                    context.hyperparameter("momentum")});
  return {assign(weight, next[0]), assign(velocity, next[1])};
}

}  // namespace tenon::optim

#include "tenon/optim/gradient_descent.h"

#include "tenon/tensor/build.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> GradientDescent::update(RuleContext& context, const Variable& weight,
                                            const Tensor& gradient) {
  const Tensor w(weight);
  return {assign(weight, w - cast(context.learning_rate(), w.dtype()) * gradient)};
}

std::vector<Update> Sgd::update(RuleContext& context, const Variable& weight,
                                const Tensor& gradient) {
  const Tensor w(weight);
  const Variable velocity = context.slot(weight, "velocity");
  const Tensor g = weight_decay == 0 ? gradient : gradient + weight_decay * w;
  const std::vector<Tensor> next =
      apply_op_all(ir::MomentumUpdate{nesterov},
                   {w, g, Tensor(velocity), cast(context.learning_rate(), w.dtype()),
                    full({}, momentum, w.dtype())});
  return {assign(weight, next[0]), assign(velocity, next[1])};
}

}  // namespace tenon::optim

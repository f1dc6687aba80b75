#include "tenon/optim/adam.h"

#include "tenon/tensor/build.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Adam::update(RuleContext& context, const Variable& weight,
                                 const Tensor& gradient) {
  const Variable m = context.slot(weight, "m"), v = context.slot(weight, "v");
  const std::vector<Tensor> next = apply_op_all(
      ir::AdamUpdate{},
      {Tensor(weight), gradient, Tensor(m), Tensor(v), context.hyperparameter("learning_rate"),
       context.hyperparameter("beta1"), context.hyperparameter("beta2"),
       context.hyperparameter("epsilon"), context.hyperparameter("weight_decay"), context.step()});
  return {assign(weight, next[0]), assign(m, next[1]), assign(v, next[2])};
}

}  // namespace tenon::optim

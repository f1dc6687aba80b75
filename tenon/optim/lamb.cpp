#include "tenon/optim/lamb.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Lamb::update(RuleContext& context, const Variable& weight,
                                 const Tensor& gradient) {
  const Tensor w(weight), t = context.exact_step();
  const Variable m = context.slot(weight, "m"), v = context.slot(weight, "v");
  const auto correction = [&](std::string_view beta) {
    return cast(1 - power(context.exact_hyperparameter(beta), t), w.dtype());
  };
  const Tensor next_m = lerp(gradient, Tensor(m), context.hyperparameter("beta1"));
  const Tensor next_v = lerp(square(gradient), Tensor(v), context.hyperparameter("beta2"));
  const Tensor size = sqrt(next_v / correction("beta2")) + context.hyperparameter("epsilon");
  const Tensor change =
      next_m / correction("beta1") / size + context.hyperparameter("weight_decay") * w;
  const Tensor of_weight = norm(w), of_change = norm(change);
  const Tensor ratio =
      where(logical_or(of_weight == 0.0, of_change == 0.0), 1.0, of_weight / of_change);
  return {assign(weight, w - context.hyperparameter("learning_rate") * ratio * change),
          assign(m, next_m), assign(v, next_v)};
}

}  // namespace tenon::optim

#include "tenon/optim/nadam.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> NAdam::update(RuleContext& context, const Variable& weight,
                                  const Tensor& gradient) {
  const Tensor w(weight);
  const Variable m = context.slot(weight, "m"), v = context.slot(weight, "v");
  const Variable product = context.slot(weight, "momentum_product", {DType::f64, {}});
  const Tensor g = gradient + context.hyperparameter("weight_decay") * w;
  const Tensor t = context.exact_step(), beta1 = context.exact_hyperparameter("beta1");
  const Tensor decay = context.exact_hyperparameter("momentum_decay");
  const auto momentum_at = [&](const Tensor& step) {
    return beta1 * (1 - 0.5 * power(full({}, 0.96, DType::f64), step * decay));
  };
  const Tensor now = momentum_at(t), next = momentum_at(t + 1);
  const Tensor all = where(t == 1.0, 1.0, Tensor(product)) * now;  // slots start at zero
  const Tensor rate = context.exact_hyperparameter("learning_rate");
  const Tensor of_gradient = cast(rate * (1 - now) / (1 - all), w.dtype());
  const Tensor of_momentum = cast(rate * next / (1 - all * next), w.dtype());
  const Tensor correction = cast(1 - power(context.exact_hyperparameter("beta2"), t), w.dtype());
  const Tensor next_m = lerp(g, Tensor(m), context.hyperparameter("beta1"));
  const Tensor next_v = lerp(square(g), Tensor(v), context.hyperparameter("beta2"));
  const Tensor size = sqrt(next_v / correction) + context.hyperparameter("epsilon");
  return {assign(weight, w - (of_gradient * g + of_momentum * next_m) / size), assign(m, next_m),
          assign(v, next_v), assign(product, all)};
}

}  // namespace tenon::optim

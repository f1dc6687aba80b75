#include "tenon/optim/adafactor.h"

#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Adafactor::update(RuleContext& context, const Variable& weight,
                                      const Tensor& gradient) {
  Tensor w(weight);
  const Tensor t = context.exact_step(), rate = context.exact_hyperparameter("learning_rate");
  const Tensor epsilon = context.hyperparameter("epsilon");
  const Tensor weight_of_new =
      cast(power(t, -context.exact_hyperparameter("decay_exponent")), w.dtype());
  const Tensor squares = square(gradient);
  std::vector<Update> updates;
  const auto moved = [&](std::string_view name, const Tensor& towards) {
    const Variable slot = context.slot(weight, name, towards.type());
    const Tensor next = lerp(Tensor(slot), towards, weight_of_new);
    updates.push_back(assign(slot, next));
    return next;
  };
  Tensor v;
  if (w.rank() >= 2) {
    const Tensor r = moved("r", mean(squares, {-1}, true)),
                 c = moved("c", mean(squares, {-2}, true));
    v = r * c / maximum(mean(r, {-2}, true), epsilon);
  } else {
    v = moved("v", squares);
  }
  const auto root_mean_square = [](const Tensor& x) { return sqrt(mean(square(x))); };
  const Tensor change = gradient * rsqrt(maximum(v, square(epsilon)));
  const Tensor step = maximum(context.hyperparameter("scale_floor"), root_mean_square(w)) *
                      cast(minimum(rate, rsqrt(t)), w.dtype());
  const Tensor shrink =
      maximum(root_mean_square(change) / context.hyperparameter("threshold"), 1.0);
  const Tensor kept = 1 - cast(rate, w.dtype()) * context.hyperparameter("weight_decay");
  updates.push_back(assign(weight, kept * w - step / shrink * change));
  return updates;
}

}  // namespace tenon::optim

#include "tenon/optim/adam.h"

#include "tenon/tensor/build.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> Adam::update(RuleContext& context, const Variable& weight,
                                 const Tensor& gradient) {
  const Variable m = context.slot(weight, "m"), v = context.slot(weight, "v");
  const DType dtype = weight.type().dtype;
  const auto scalar = [&](double value) { return full({}, value, dtype); };
  const std::vector<Tensor> next = apply_op_all(
      ir::AdamUpdate{}, {Tensor(weight), gradient, Tensor(m), Tensor(v),
                         cast(context.learning_rate(), dtype), scalar(beta1), scalar(beta2),
                         scalar(epsilon), scalar(weight_decay), cast(context.step(), dtype)});
  return {assign(weight, next[0]), assign(m, next[1]), assign(v, next[2])};
}

}  // namespace tenon::optim

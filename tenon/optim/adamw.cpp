#include "tenon/optim/adamw.h"

#include "tenon/optim/adam.h"
#include "tenon/tensor/functions.h"

namespace tenon::optim {

std::vector<Update> AdamW::update(RuleContext& context, const Variable& weight,
                                  const Tensor& gradient) {
  return Adam{}.update(context, weight, gradient);  // which asks the context for every number
}

}  // namespace tenon::optim

#include "tenon/nn/sequence_steps.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor ClassToken::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() == 3,
          "ClassToken: expected a float input [batch, time, features], got {}", x.type());
  const Tensor row = context.variable(token, "token", {x.dtype(), {x.extent(-1)}}, initializer);
  return concatenate(std::array{broadcast_to(row, {x.extent(0), 1, x.extent(-1)}), x}, 1);
}

Tensor SelectStep::operator()(const Tensor& x, Context&) {
  require(x.rank() >= 2, "SelectStep: expected input [batch, time, ...], got {}", x.type());
  const std::int64_t time = x.extent(1);
  require(step >= -time && step < time, "SelectStep: {} has {} steps, so there is no step {}",
          x.type(), time, step);
  return index(x, step < 0 ? step + time : step, 1);
}

}  // namespace tenon::nn

#include "tenon/nn/residual.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Residual::operator()(const Tensor& x, Context& context) {
  const Tensor y = body(x, context);
  const Tensor shortcut = projection(x, context);
  require(y.type() == shortcut.type(),
          "Residual: the body gives {}, the shortcut {}: they cannot be added\n  help: give a "
          "projection that changes the shortcut alike, such as nn::Conv2D{{.filters = {}, .size = "
          "{{1}}}} with the strides of the body",
          y.type(), shortcut.type(), y.rank() == 0 ? 1 : y.extent(-1));
  return apply(activation, shortcut + y);
}

}  // namespace tenon::nn

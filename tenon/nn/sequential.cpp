#include "tenon/nn/sequential.h"

namespace tenon::nn {

Tensor Sequential::operator()(const Tensor& x, Context& context) {
  Tensor value = x;
  for (const Layer& layer : layers) value = layer(value, context);
  return value;
}

}  // namespace tenon::nn

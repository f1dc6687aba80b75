#include "tenon/nn/variational.h"

#include <cmath>

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Tensor Variational::operator()(const Tensor& x, Context& context) {
  require(is_float(x.dtype()) && x.rank() >= 2 && x.extent(-1) % 2 == 0,
          "Variational: expected a float input [batch, ..., 2 * width], a mean and a log variance "
          "for each number, got {}",
          x.type());
  require(std::isfinite(weight) && weight >= 0 && std::isfinite(noise) && noise >= 0,
          "Variational: weight and noise must be finite and not negative, got {} and {}", weight,
          noise);
  const std::vector<Tensor> halves = split(x, 2, -1);
  const Tensor &mean = halves[0], &log_variance = halves[1];
  const Tensor variance = exp(log_variance);
  const Tensor divergence = (0.5 * weight) * sum(square(mean) + variance - 1.0 - log_variance);
  context.add_loss({divergence, full({}, static_cast<double>(x.extent(0)), x.dtype())});
  if (!context.is_training() || noise == 0) return mean;
  const Tensor drawn = random::normal(context.random_key(), mean.shape(), 0, 1, x.dtype());
  return mean + noise * exp(0.5 * log_variance) * drawn;
}

}  // namespace tenon::nn

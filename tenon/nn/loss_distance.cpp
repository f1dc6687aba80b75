// Losses of distances: squared and absolute errors, Huber, cosine, hinge.
#include <cmath>

#include "tenon/nn/loss_checks.h"
#include "tenon/nn/loss_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {

Loss make_mean_error(const std::string& name) {
  const bool is_squared = name == "mean_squared_error";
  return {.name = name,
          .apply =
              [name, is_squared](const Tensor& p, const Tensor& t, const Tensor& w) {
                const Tensor target = same_shape_target(p, t, name);
                return weighted_sum(is_squared ? squared_difference(p, target) : abs(p - target), w,
                                    name);
              },
          .targets = TargetKind::numbers};
}

Loss huber(double delta) {
  require(delta > 0 && std::isfinite(delta), "huber: delta must be above 0, got {}", delta);
  return {.name = delta == 1 ? "huber" : fmt::format("huber:delta={}", delta),
          .apply =
              [delta](const Tensor& p, const Tensor& t, const Tensor& w) {
                const Tensor error = p - same_shape_target(p, t, "huber");
                const Tensor size = abs(error);
                return weighted_sum(
                    where(size <= delta, 0.5f * square(error), delta * (size - 0.5 * delta)), w,
                    "huber");
              },
          .targets = TargetKind::numbers};
}

Loss make_cosine_similarity() {
  return {.name = "cosine_similarity",
          .apply =
              [](const Tensor& p, const Tensor& t, const Tensor& w) {
                const Tensor target = same_shape_target(p, t, "cosine_similarity");
                require(p.rank() >= 2,
                        "cosine_similarity: expected predictions [batch, values], got {}",
                        p.description());
                // A vector of zeros has no direction: its cosine is 0 and nothing flows.
                const auto length = [](const Tensor& x) {
                  return sqrt(maximum(sum(square(x), {-1}), 1e-16));
                };
                const Tensor cosine = sum(p * target, {-1}) / (length(p) * length(target));
                return weighted_sum(1.0f - cosine, w, "cosine_similarity");
              },
          .targets = TargetKind::numbers};
}

Loss make_hinge() {
  return {.name = "hinge",
          .from_logits = true,
          .apply =
              [](const Tensor& p, const Tensor& t, const Tensor& w) {
                const Tensor target = same_shape_target(p, t, "hinge");
                const Tensor sign = where(target > 0.0f, ones_like(target), full_like(target, -1));
                return weighted_sum(tenon::relu(1.0f - sign * p), w, "hinge");
              },
          .targets = TargetKind::two_classes};
}

}  // namespace tenon::nn
